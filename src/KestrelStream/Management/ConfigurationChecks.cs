using System.Net.Sockets;
using KestrelStream.Configuration;
using KestrelStream.Configuration.Validation;
using KestrelStream.Diagnostics;
using KestrelStream.Http;
using KestrelStream.LoadBalancing;
using KestrelStream.Tls;
using KestrelStream.Transport;

namespace KestrelStream.Management;

/// <summary>Everything that can be said of a configuration without changing anything: values and references, and for <c>check</c> the machine's view of addresses. Thread-safe.</summary>
internal sealed class ConfigurationChecks(LoadBalancingPolicyRegistry policies, TlsEngineSelector tlsEngines, IHttpAppSource httpApps, IEnumerable<ICertificateSource> sources)
{
    private readonly StreamProxyConfigValidator _validator = new(new ValidationHooks(
        policies.Names,
        text => CipherString.TryParse(text, out _, out var error) ? null : error,
        EngineSelector.IsSupported,
        tlsEngines.UsesOpenSsl,
        () => tlsEngines.HasOpenSsl,
        () => httpApps.WhyNot,
        sources.Any()));

    public ConfigResult Validate(ConfigResult read) => _validator.Validate(read);

    /// <summary>The mistakes of one cluster by itself.</summary>
    public IReadOnlyList<ConfigError> ValidateCluster(string id, ClusterConfig cluster) => _validator.ValidateCluster(id, cluster);

    /// <summary>Binds each address for a moment, without listening. One that is in use is fine: a running instance holds it.</summary>
    public static IEnumerable<ConfigError> CheckAddresses(StreamProxyConfig config)
    {
        foreach (var (id, listener) in config.Listeners)
        {
            if (ProxyAddress.TryParseListen(listener.Address, out var address) && WhyNotBindable(address!) is { } why)
            {
                yield return new ConfigError($"StreamProxy:Listeners:{id}:Address", $"\"{listener.Address}\": {why}");
            }
        }

        if (config.HttpChallenge is { } http && ProxyAddress.TryParseListen(http.Address, out var httpAddress) && WhyNotBindable(httpAddress!) is { } httpWhy)
        {
            yield return new ConfigError("StreamProxy:HttpChallenge:Address", $"\"{http.Address}\": {httpWhy}");
        }
    }

    private static string? WhyNotBindable(ProxyAddress address)
    {
        if (address.Kind == ProxyAddressKind.Unix)
        {
            var folder = Path.GetDirectoryName(Path.GetFullPath(address.Host));
            return Directory.Exists(folder) ? null : $"the folder {folder} does not exist";
        }

        try
        {
            BoundSockets.Bind(address, backlog: null).ForEach(socket => socket.Dispose());
            return null;
        }
        catch (SocketException e)
        {
            return ListenerBindException.Describe(e);
        }
        catch (Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            return null;
        }
    }
}
