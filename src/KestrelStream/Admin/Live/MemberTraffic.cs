using KestrelStream.Model;
using KestrelStream.Sessions;

namespace KestrelStream.Admin.Live;

/// <summary>Numbers of a member of a cluster at one moment. Bytes are since start, those of running sessions included. Made by <see cref="TrafficReader"/>.</summary>
internal sealed class MemberTraffic(ClusterState cluster, DestinationState destination, bool isLeaving)
{
    public ClusterState Cluster { get; } = cluster;

    public DestinationState Destination { get; } = destination;

    public bool IsLeaving { get; } = isLeaving;

    public long BytesIn { get; private set; } = destination.EndedBytesIn;

    public long BytesOut { get; private set; } = destination.EndedBytesOut;

    public void AddRunning(StreamSession session)
    {
        BytesIn += Volatile.Read(ref session.BytesIn);
        BytesOut += Volatile.Read(ref session.BytesOut);
    }

    /// <summary>What was missed must not show as a step back.</summary>
    public void KeepAbove(MemberTraffic before)
    {
        BytesIn = Math.Max(BytesIn, before.BytesIn);
        BytesOut = Math.Max(BytesOut, before.BytesOut);
    }
}
