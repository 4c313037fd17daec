namespace KestrelStream.Model;

/// <summary>The next set of clusters, made by <see cref="ClusterRegistry.Prepare"/> and not yet in force. Immutable.</summary>
internal sealed class ClusterChange(
    IReadOnlyDictionary<string, ClusterState> before,
    IReadOnlyDictionary<string, ClusterState> clusters,
    IReadOnlyList<(ClusterState Cluster, ClusterModel Model)> models)
{
    public IReadOnlyDictionary<string, ClusterState> Before { get; } = before;

    /// <summary>By id, ignoring case: those that go on and the new ones. Routes can be compiled over them before the commit.</summary>
    public IReadOnlyDictionary<string, ClusterState> Clusters { get; } = clusters;

    /// <summary>What the clusters that go on get.</summary>
    public IReadOnlyList<(ClusterState Cluster, ClusterModel Model)> Models { get; } = models;
}
