using System.Net;
using System.Text.Json;
using KestrelStream.Configuration;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.FunctionalTests.Tls.Upstream;

/// <summary>A configuration whose destinations speak TLS, and what its sessions have left in the access log. Owns its files.</summary>
internal sealed class UpstreamPool : IDisposable
{
    /// <summary>What the destinations' certificates are for.</summary>
    public const string Name = "backend.example.com";

    public UpstreamPool()
    {
        Folder.Write("ca.pem", TestCertificates.Shared.Root.ExportCertificatePem() + "\n");
        TestCertificates.Shared.Issue("app.example.com").WritePem(Folder, "server.pem", "server.key");
    }

    /// <summary>One for all tests.</summary>
    public static TestCertificate Certificate { get; } = TestCertificates.Shared.Issue(Name, "127.0.0.1");

    public TempFolder Folder { get; } = new();

    public void Dispose() => Folder.Dispose();

    /// <summary>One route, the cluster <c>c</c> with destinations <c>a</c>, <c>b</c>, … in that order, the access log in <c>access.log</c>.</summary>
    public StreamProxyConfig Config(
        EngineKind engine, TlsEngineKind tlsEngine, IPEndPoint[] upstreams, Func<UpstreamTlsConfig, UpstreamTlsConfig>? tls = null, Func<ClusterConfig, ClusterConfig>? cluster = null)
    {
        var pool = new ClusterConfig
        {
            LoadBalancingPolicy = "FirstAlphabetical",
            Tls = (tls ?? (t => t))(new UpstreamTlsConfig { ServerName = Name, TrustedCertificates = Folder["ca.pem"] }),
            Destinations = upstreams.Select((endPoint, i) => (Id: ((char)('a' + i)).ToString(), endPoint)).ToDictionary(u => u.Id, u => new DestinationConfig { Address = u.endPoint.ToString() }),
        };
        return ProxyEnvironment.OneRoute(engine, upstreams[0]) with
        {
            Tls = new TlsConfig { Engine = tlsEngine },
            AccessLog = new AccessLogConfig { Path = Folder["access.log"] },
            Certificates = new Dictionary<string, CertificateConfig> { ["server"] = new() { Path = Folder["server.pem"], KeyPath = Folder["server.key"] } },
            Clusters = new Dictionary<string, ClusterConfig> { ["c"] = (cluster ?? (c => c))(pool) },
        };
    }

    /// <summary>The same for clients whose TLS ends here.</summary>
    public static StreamProxyConfig Terminating(StreamProxyConfig config) => config with
    {
        Routes = new Dictionary<string, RouteConfig> { ["all"] = config.Routes["all"] with { Tls = new RouteTlsConfig { Mode = TlsMode.Terminate, Certificates = ["server"] } } },
    };

    /// <summary>The last records of the access log, once there are so many.</summary>
    public async Task<IReadOnlyList<JsonElement>> RecordsAsync(int count)
    {
        var lines = await Wait.ForAsync(() => Folder.Lines("access.log") is { } all && all.Length >= count ? all : null, "the access log");
        return [.. lines.Select(line => JsonSerializer.Deserialize<JsonElement>(line))];
    }

    /// <summary>Engines × versions of TLS.</summary>
    public static TheoryData<EngineKind, TlsEngineKind, TlsVersion> EnginesAndVersions
    {
        get
        {
            var all = new TheoryData<EngineKind, TlsEngineKind, TlsVersion>();
            foreach (var row in Engines.AllTls)
            {
                all.Add((EngineKind)row[0], (TlsEngineKind)row[1], TlsVersion.Tls12);
                all.Add((EngineKind)row[0], (TlsEngineKind)row[1], TlsVersion.Tls13);
            }

            return all;
        }
    }
}
