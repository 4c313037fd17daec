using System.Net;
using KestrelStream.Configuration;
using KestrelStream.TestKit;

namespace KestrelStream.FunctionalTests.ProxyProtocol;

/// <summary>Configurations of these tests.</summary>
internal static class ProxyPool
{
    /// <summary>192.0.2.1:56324 → 198.51.100.2:443, v2.</summary>
    public static readonly byte[] Header = Convert.FromHexString("0d0a0d0a000d0a515549540a2111000cc0000201c6336402dc0401bb");

    public static StreamProxyConfig Receiving(EngineKind engine, EndPoint upstream, ProxyProtocolMode mode, string trusted = "127.0.0.0/8", TimeSpan? timeout = null)
        => With(ProxyEnvironment.OneRoute(engine, upstream), listener => listener with
        {
            ProxyProtocol = new ListenerProxyProtocolConfig { Mode = mode, TrustedNetworks = [trusted], Timeout = timeout ?? TimeSpan.FromSeconds(10) },
        });

    public static StreamProxyConfig Sending(StreamProxyConfig config, ProxyProtocolVersion version, params ProxyProtocolTlv[] tlvs) => config with
    {
        Clusters = config.Clusters.ToDictionary(pair => pair.Key, pair => pair.Value with { ProxyProtocol = version, Tlvs = tlvs }),
    };

    /// <summary>The listener prereads: one name has a route of its own.</summary>
    public static StreamProxyConfig ByName(StreamProxyConfig config) => config with
    {
        Routes = new Dictionary<string, RouteConfig>
        {
            ["a"] = new() { ClusterId = "c", Match = new RouteMatch { Sni = ["a.example.com"] } },
            ["rest"] = new() { ClusterId = "c" },
        },
    };

    private static StreamProxyConfig With(StreamProxyConfig config, Func<ListenerConfig, ListenerConfig> change)
        => config with { Listeners = config.Listeners.ToDictionary(pair => pair.Key, pair => change(pair.Value)) };
}
