using KestrelStream.Access;
using KestrelStream.Configuration;
using KestrelStream.Limits;
using KestrelStream.Model;
using KestrelStream.ProxyProtocol;
using KestrelStream.Routing;
using KestrelStream.Tls;

namespace KestrelStream.Management;

/// <summary>Compiles a validated configuration into the models that sessions use. Touches nothing that runs.</summary>
internal static class SnapshotBuilder
{
    public static ProxySnapshot Build(
        StreamProxyConfig config,
        long generation,
        DateTimeOffset now,
        IReadOnlyDictionary<string, ClusterState> clusters,
        Func<string, RouteConfig, TlsPolicy> createPolicy,
        AccessRuleSet access,
        LimitRegistry limits)
    {
        var routes = ConfigMap.Create<RouteModel>();
        foreach (var (id, route) in config.Routes)
        {
            routes.Add(id, new RouteModel
            {
                Id = id,
                Config = route,
                Cluster = route.ClusterId is { } cluster ? clusters[cluster] : null,
                Tls = route.Tls?.Mode == TlsMode.Terminate ? createPolicy(id, route) : null,
                Access = access.OfRoute(id),
                Limits = limits.OfRoute(id, route),
            });
        }

        var listeners = ConfigMap.Create<ListenerModel>();
        foreach (var (id, listener) in config.Listeners)
        {
            if (!ProxyAddress.TryParseListen(listener.Address, out var address))
            {
                throw new ArgumentException($"Listener \"{id}\": the configuration was not validated.", nameof(config));
            }

            listeners.Add(id, new ListenerModel
            {
                Id = id,
                Config = listener,
                Address = address!,
                Routes = RouteTable.ForListener(id, routes.Values),
                TrustedPeers = listener.ProxyProtocol is { } proxyProtocol && proxyProtocol.Mode != ProxyProtocolMode.Off ? new TrustedPeers(proxyProtocol.TrustedNetworks) : null,
                RefusedBytes = config.Admin?.RefusedBytes ?? 0,
                Access = access.OfListener(id),
                Limits = limits.OfListener(id, listener),
                Generation = generation,
            });
        }

        return new ProxySnapshot
        {
            Generation = generation,
            Applied = now,
            Config = config,
            Listeners = listeners,
            Routes = routes,
            Clusters = clusters,
        };
    }
}
