using KestrelStream.Model;

namespace KestrelStream.Admin.Live;

/// <summary>What went through the proxy, at one moment. Each list is in the order of ids; members of a cluster stand together, as the cluster has them.</summary>
internal sealed record TrafficReading(
    ProxySnapshot? Snapshot,
    IReadOnlyList<ListenerTraffic> Listeners,
    IReadOnlyList<RouteTraffic> Routes,
    IReadOnlyList<ClusterState> Clusters,
    IReadOnlyList<MemberTraffic> Members);
