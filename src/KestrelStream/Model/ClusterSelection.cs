using KestrelStream.Health;

namespace KestrelStream.Model;

/// <summary>What one pick reads: a cluster model and its two groups. Its references never change; the lock is the cluster's.</summary>
internal sealed class ClusterSelection
{
    public ClusterSelection(Lock gate, ClusterModel model, TimeProvider time)
    {
        Model = model;
        Health = new PoolHealth(model.Counted, model.PassiveHealth.MaxOut, model.Config.PanicThreshold);
        Primaries = new DestinationGroup(gate, model, Health, time, backups: false);
        Backups = new DestinationGroup(gate, model, Health, time, backups: true);
    }

    /// <summary>Another one of the same model, with turns of its own.</summary>
    public ClusterSelection(Lock gate, ClusterSelection original)
    {
        Model = original.Model;
        Health = original.Health;
        Primaries = new DestinationGroup(gate, original.Primaries);
        Backups = new DestinationGroup(gate, original.Backups);
    }

    public ClusterModel Model { get; }

    public PoolHealth Health { get; }

    public DestinationGroup Primaries { get; }

    public DestinationGroup Backups { get; }

    /// <summary>Gives the destinations what this model says about them. Under the lock.</summary>
    public void TakeOver()
    {
        Primaries.TakeOver();
        Backups.TakeOver();
        foreach (var ofThoseOut in new[] { true, false })
        {
            Primaries.TakeOut(ofThoseOut);
            Backups.TakeOut(ofThoseOut);
        }
    }

    /// <summary>A failure. Under the lock.</summary>
    public void RecordFailure(DestinationState destination, in DialAttempts attempts, long now)
    {
        var wasTrial = destination.Failures.RecordFailure(now);
        Find(destination, attempts, out var member)?.RecordFailure(member, wasTrial, now);
    }

    /// <summary>A destination's failures were cleared. Under the lock.</summary>
    public void PutBack(DestinationState destination, in DialAttempts attempts, long now)
        => Find(destination, attempts, out var member)?.PutBack(member, now);

    /// <summary>Active checks have found a destination up or down. One that comes up begins with a clean account of dials. Under the lock.</summary>
    public void FollowChecks(DestinationState destination, long now)
    {
        if (Find(destination, default, out var member) is not { } group)
        {
            return;
        }

        group.FollowChecks(member);
        if (destination.IsUpByChecks)
        {
            destination.Failures.Reset();
            group.PutBack(member, now);
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
