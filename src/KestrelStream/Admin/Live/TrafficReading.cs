using System.Collections.Immutable;
using KestrelStream.Model;

namespace KestrelStream.Admin.Live;

/// <summary>
/// What went through the proxy, at one moment. Each list is in the order of ids; members of a cluster stand together, as the cluster has them. Not
/// changed any more once it is read.
/// </summary>
/// <param name="Snapshot">Null before the start.</param>
/// <param name="Listeners">The bound ones.</param>
/// <param name="Routes">Empty where nobody has asked for them.</param>
/// <param name="Clusters">Of the snapshot.</param>
/// <param name="Members">Those that leave are there for as long as they have sessions.</param>
internal sealed record TrafficReading(
    ProxySnapshot? Snapshot,
    List<ListenerTraffic> Listeners,
    List<RouteTraffic> Routes,
    ImmutableArray<ClusterState> Clusters,
    List<MemberTraffic> Members);
