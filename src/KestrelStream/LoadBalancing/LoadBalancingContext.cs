using KestrelStream.Model;

namespace KestrelStream.LoadBalancing;

/// <summary>
/// What a policy chooses from: either the primaries or the backups of a cluster, numbered from 0 in the order of their ids.
/// Lives on the stack of one pick.
/// </summary>
public readonly ref struct LoadBalancingContext
{
    internal LoadBalancingContext(string clusterId, DestinationGroup group, MemberSet available, ulong key = 0)
    {
        ClusterId = clusterId;
        Group = group;
        Available = available;
        Key = key;
    }

    /// <summary>The cluster's key in the configuration.</summary>
    public string ClusterId { get; }

    /// <summary>Number of destinations, available or not.</summary>
    public int Count => Group.Members.Length;

    /// <summary>Number of destinations that can be chosen; at least one.</summary>
    public int AvailableCount => Available.Count;

    internal DestinationGroup Group { get; }

    internal MemberSet Available { get; }

    /// <summary>Hash of the session's key; 0 = it has none, or the cluster's policy needs none.</summary>
    internal ulong Key { get; }

    /// <summary>A destination by its number.</summary>
    public IDestination this[int index] => Group.Members[index];

    /// <summary>Whether it can be chosen: not down, not full, its weight is not 0, and this session has not tried it.</summary>
    public bool IsAvailable(int index) => Available.Contains(index);

    /// <summary>Takes the next turn of the smooth weighted round robin among those that are available: a choice for when all else is equal.</summary>
    public int NextInTurn() => Group.NextInTurn(Available);
}
