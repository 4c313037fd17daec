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
        var numbers = copy.FindIn(selection);
        lock (_gate)
        {
            copy.ContinueFrom(selection, numbers);
        }

        for (var tier = 0; tier < selection.Tiers.Length; tier++)
        {
            if (Peek(selection.Tiers[tier], copy.Tiers[tier], copy.Model.Policy, key) is { } destination)
            {
                return destination;
            }
        }

        return null;
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
