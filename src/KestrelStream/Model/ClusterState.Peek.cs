using KestrelStream.LoadBalancing;

namespace KestrelStream.Model;

/// <content>What the balancing would do, without doing it.</content>
internal sealed partial class ClusterState
{
    /// <summary>The destination that a session would be given if it came now; null = none. No slot is taken and no turn is used up. Policies that draw lots may answer otherwise the next time.</summary>
    public DestinationState? Peek(ulong key = 0)
    {
        var selection = _selection;
        var copy = new ClusterSelection(_gate, selection);
        var primaries = copy.Primaries.FindIn(selection.Primaries);
        var backups = copy.Backups.FindIn(selection.Backups);
        lock (_gate)
        {
            copy.Primaries.ContinueFrom(selection.Primaries, primaries);
            copy.Backups.ContinueFrom(selection.Backups, backups);
        }

        return Peek(selection.Primaries, copy.Primaries, copy.Model.Policy, key) ?? Peek(selection.Backups, copy.Backups, copy.Model.Policy, key);
    }

    /// <summary>Asks the group who is available, and the policy over the copy, whose turns it may use up.</summary>
    private DestinationState? Peek(DestinationGroup group, DestinationGroup copy, ILoadBalancingPolicy policy, ulong key)
    {
        var candidates = new MemberSet(new ulong[group.WordCount]);
        group.FindAvailable(default, candidates);
        var chosen = candidates.IsEmpty ? -1 : policy.Pick(new LoadBalancingContext(Id, copy, candidates, key));
        return chosen >= 0 && chosen < group.Members.Length ? group.Members[chosen] : null;
    }
}
