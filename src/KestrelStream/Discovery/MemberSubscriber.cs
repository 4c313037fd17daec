using KestrelStream.Model;

namespace KestrelStream.Discovery;

/// <summary>A destination whose members are found by a name.</summary>
internal sealed record MemberSubscriber(ClusterState Cluster, DestinationSource Source) : INameSubscriber
{
    public string ClusterId => Cluster.Id;

    public string DestinationId => Source.Id;

    public void Take(NameState state) => Cluster.Refresh(Source, state);

    public void Abandon() => Source.EndWaiting();
}
