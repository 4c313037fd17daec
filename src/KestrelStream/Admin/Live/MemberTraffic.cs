using KestrelStream.Model;

namespace KestrelStream.Admin.Live;

/// <summary>Numbers of a member of a cluster at one moment. Made by <see cref="TrafficReader"/>.</summary>
internal sealed class MemberTraffic : TrafficBytes
{
    public MemberTraffic(ClusterState cluster, DestinationState destination, bool isLeaving)
    {
        Cluster = cluster;
        Destination = destination;
        IsLeaving = isLeaving;
        AddBytes(destination.EndedBytesIn, destination.EndedBytesOut);
    }

    public ClusterState Cluster { get; }

    public DestinationState Destination { get; }

    public bool IsLeaving { get; }
}
