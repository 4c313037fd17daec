namespace KestrelStream.Model;

/// <summary>What one pick reads: a cluster model and its two groups. Its references never change; the lock is the cluster's.</summary>
internal sealed class ClusterSelection
{
    public ClusterSelection(Lock gate, ClusterModel model)
    {
        Model = model;
        Primaries = new DestinationGroup(gate, model, backups: false);
        Backups = new DestinationGroup(gate, model, backups: true);
    }

    public ClusterModel Model { get; }

    public DestinationGroup Primaries { get; }

    public DestinationGroup Backups { get; }

    /// <summary>Gives the destinations what this model says about them. Under the lock.</summary>
    public void TakeOver()
    {
        Primaries.TakeOver();
        Backups.TakeOver();
    }

    /// <summary>A failed dial. Under the lock.</summary>
    public void RecordFailure(DestinationState destination, in DialAttempts attempts)
        => Find(destination, attempts, out var member)?.RecordFailure(member);

    /// <summary>A destination's failures were cleared. Under the lock.</summary>
    public void PutBack(DestinationState destination, in DialAttempts attempts)
        => Find(destination, attempts, out var member)?.PutBack(member);

    /// <summary>Active checks have found a destination up or down. One that comes up begins with a clean account of dials. Under the lock.</summary>
    public void FollowChecks(DestinationState destination)
    {
        if (Find(destination, default, out var member) is not { } group)
        {
            return;
        }

        group.FollowChecks(member);
        if (destination.IsUpByChecks)
        {
            destination.Failures.Reset();
            group.PutBack(member);
        }
    }

    /// <summary>Null when a reload has removed it.</summary>
    private DestinationGroup? Find(DestinationState destination, in DialAttempts attempts, out int member)
    {
        var (first, second) = attempts.UsesBackups ? (Backups, Primaries) : (Primaries, Backups);
        member = first.IndexOf(destination, attempts);
        if (member >= 0)
        {
            return first;
        }

        member = second.IndexOf(destination, attempts);
        return member >= 0 ? second : null;
    }
}
