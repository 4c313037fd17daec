using System.Net;
using KestrelStream.Configuration;

namespace KestrelStream.FunctionalTests.StartTls;

/// <summary>Configurations before a MySQL server.</summary>
internal static class MySqlScene
{
    /// <summary>One listener, one route for every client, one destination.</summary>
    public static StreamProxyConfig Config(MySqlServers servers, EngineKind engine, TlsEngineKind tlsEngine, EndPoint destination) => new()
    {
        Engine = engine,
        Tls = new TlsConfig { Engine = tlsEngine },
        ShutdownTimeout = TimeSpan.FromSeconds(10),
        Listeners = new Dictionary<string, ListenerConfig> { ["public"] = new() { Address = "127.0.0.1:0" } },
        Certificates = new Dictionary<string, CertificateConfig>
        {
            ["own"] = new() { Path = servers.Certificate.Path, KeyPath = servers.Certificate.KeyPath },
            ["other"] = new() { Path = servers.OtherCertificate.Path, KeyPath = servers.OtherCertificate.KeyPath },
        },
        Routes = new Dictionary<string, RouteConfig> { ["db"] = Route("own") },
        Clusters = new Dictionary<string, ClusterConfig>
        {
            ["db"] = new() { Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = destination.ToString()! } } },
        },
    };

    /// <summary>TLS with the destinations.</summary>
    public static StreamProxyConfig WithUpstreamTls(this StreamProxyConfig config, MySqlServers servers, string name = "db.internal") => config with
    {
        Clusters = new Dictionary<string, ClusterConfig>
        {
            ["db"] = config.Clusters["db"] with { Tls = new UpstreamTlsConfig { Enabled = true, ServerName = name, TrustedCertificates = servers.Root } },
        },
    };

    public static StreamProxyConfig WithRoutes(this StreamProxyConfig config, params (string Id, RouteConfig Route)[] routes)
        => config with { Routes = routes.ToDictionary(route => route.Id, route => route.Route) };

    public static RouteConfig Route(string certificate, params string[] names) => new()
    {
        StartTls = StartTlsProtocol.MySql,
        Match = new RouteMatch { Sni = names },
        Tls = new RouteTlsConfig { Mode = TlsMode.Terminate, Certificates = [certificate] },
        ClusterId = "db",
    };
}
