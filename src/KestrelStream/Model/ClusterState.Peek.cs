using System.Globalization;
using KestrelStream.Configuration;
using KestrelStream.Health.Checks;
using KestrelStream.LoadBalancing;

namespace KestrelStream.Model;

/// <content>What the balancing would do, without doing it, and why.</content>
internal sealed partial class ClusterState
{
    /// <summary>The destination that a session would be given if it came now; null = none. No slot is taken and no turn is used up. Policies that draw lots may answer otherwise the next time.</summary>
    /// <param name="key">Hash of what ConsistentHash goes by.</param>
    /// <param name="considered">Gets every member, in the order of the tiers; null = nobody asks.</param>
    public DestinationState? Peek(ulong key = 0, List<MemberConsidered>? considered = null)
    {
        var selection = _selection;
        var copy = new ClusterSelection(_gate, selection);
        var numbers = copy.FindIn(selection);
        lock (_gate)
        {
            copy.ContinueFrom(selection, numbers);
        }

        DestinationState? found = null;
        for (var tier = 0; tier < selection.Tiers.Length && (found is null || considered is not null); tier++)
        {
            var group = selection.Tiers[tier];
            var candidates = new MemberSet(new ulong[group.WordCount]);
            group.FindAvailable(default, candidates);
            var chosen = found is null ? Peek(group, copy.Tiers[tier], copy.Model.Policy, candidates, key) : null;
            if (considered is not null)
            {
                Explain(selection, group, candidates, chosen, found, considered);
            }

            found ??= chosen;
        }

        return found;
    }

    /// <summary>Asks the policy over the copy of a group, whose turns it may use up.</summary>
    private DestinationState? Peek(DestinationGroup group, DestinationGroup copy, ILoadBalancingPolicy policy, MemberSet available, ulong key)
    {
        // A policy may take members out of what it gets.
        var candidates = new MemberSet(new ulong[group.WordCount]);
        for (var word = 0; word < group.WordCount; word++)
        {
            candidates.SetWord(word, available.Word(word));
        }

        var chosen = candidates.IsEmpty ? -1 : policy.Pick(new LoadBalancingContext(Id, copy, candidates, key));
        return chosen >= 0 && chosen < group.Members.Length ? group.Members[chosen] : null;
    }

    private static void Explain(
        ClusterSelection selection, DestinationGroup group, MemberSet available, DestinationState? chosen, DestinationState? before, List<MemberConsidered> considered)
    {
        var isPanic = selection.Health.IsPanic;
        for (var i = 0; i < group.Members.Length; i++)
        {
            var member = group.Members[i];
            var isChosen = member == chosen;
            var why = (available.Contains(i), isChosen) switch
            {
                (false, _) => WhyNot(member),
                (_, true) => $"chosen by {selection.Model.Policy.Name}",
                _ when before is not null => $"could be used, but is a backup, and {before.Id} is there",
                _ => $"could be used, but {selection.Model.Policy.Name} chose {chosen?.Id ?? "none"}",
            };
            var health = !available.Contains(i) || !(member.IsOut || !member.IsUpByChecks) ? ""
                : isPanic ? "; it is down, but so few are up that health is ignored" : "; it is out, and due for a trial";
            considered.Add(new MemberConsidered(member.Id, available.Contains(i), isChosen, why + health));
        }
    }

    /// <summary>The first thing that keeps sessions away.</summary>
    private static string WhyNot(DestinationState member) => member switch
    {
        { Control.State: OperatorState.Drain } => "drained by an operator",
        { Control.State: OperatorState.Maintenance } => "in maintenance",
        { Control.Health: OperatorHealth.Down } => "down, an operator says",
        { Weight: 0 } => "has weight 0",
        { IsUpByChecks: false, LastCheck: { } check } => $"down: last check {CheckResults.NameOf(check.Result)}, {check.Detail}",
        { IsUpByChecks: false } => "down: no check has found it up yet",
        { IsOut: true } => string.Create(CultureInfo.InvariantCulture, $"out: {member.Failures.Fails} failures of its sessions"),
        { IsFull: true } => string.Create(CultureInfo.InvariantCulture, $"full: {member.ActiveSessions} of {member.Config.MaxConnections} sessions"),
        _ => "not available at this moment",
    };
}
