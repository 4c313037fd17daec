using KestrelStream.LoadBalancing;

namespace KestrelStream.Model;

/// <content>What the balancing would do, without doing it.</content>
internal sealed partial class ClusterState
{
    /// <summary>The destination that a session would be given if it came now; null = none. No slot is taken and no turn is used up. Policies that draw lots may answer otherwise the next time.</summary>
    public DestinationState? Peek()
    {
        var selection = _selection;
        var copy = new ClusterSelection(_gate, selection.Model);
        var primaries = copy.Primaries.FindIn(selection.Primaries);
        var backups = copy.Backups.FindIn(selection.Backups);
        lock (_gate)
        {
            copy.Primaries.ContinueFrom(selection.Primaries, primaries);
            copy.Backups.ContinueFrom(selection.Backups, backups);
        }

        return Peek(copy.Primaries, copy.Model.Policy) ?? Peek(copy.Backups, copy.Model.Policy);
    }

    private DestinationState? Peek(DestinationGroup group, ILoadBalancingPolicy policy)
    {
        var candidates = new MemberSet(new ulong[group.WordCount]);
        for (var word = 0; word < group.WordCount; word++)
        {
            var members = 0UL;
            for (var member = word << 6; member < Math.Min(group.Members.Length, (word + 1) << 6); member++)
            {
                var destination = group.Members[member];
                if (destination is { Weight: > 0, IsFull: false } && !destination.Failures.IsOut(Model.PassiveHealth))
                {
                    members |= 1UL << member;
                }
            }

            candidates.SetWord(word, members);
        }

        var chosen = candidates.IsEmpty ? -1 : policy.Pick(new LoadBalancingContext(Id, group, candidates));
        return chosen >= 0 && chosen < group.Members.Length ? group.Members[chosen] : null;
    }
}
