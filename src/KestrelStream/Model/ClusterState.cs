namespace KestrelStream.Model;

/// <summary>A cluster over the reloads of its id.</summary>
internal sealed class ClusterState
{
    public required string Id { get; init; }
}
