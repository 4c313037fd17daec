using KestrelStream.Model;

namespace KestrelStream.Admin.Live;

/// <summary>Numbers of a member of a cluster at one moment. Bytes are since start, those of running sessions included.</summary>
internal readonly record struct MemberTraffic(ClusterState Cluster, DestinationState Destination, bool IsLeaving, long BytesIn, long BytesOut);
