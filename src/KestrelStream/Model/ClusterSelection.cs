using KestrelStream.Health;

namespace KestrelStream.Model;

/// <summary>What one pick reads: a cluster model and its groups. Its references never change; the lock is the cluster's.</summary>
internal sealed class ClusterSelection
{
    public ClusterSelection(Lock gate, ClusterModel model, TimeProvider time)
    {
        Model = model;
        Health = new PoolHealth(model.Counted, model.PassiveHealth.MaxOut, model.Config.PanicThreshold);
        Tiers = [.. Enumerable.Range(0, model.TierCount).Select(tier => new DestinationGroup(gate, model, Health, time, tier))];
    }

    /// <summary>Another one of the same model, with turns of its own.</summary>
    public ClusterSelection(Lock gate, ClusterSelection original)
    {
        Model = original.Model;
        Health = original.Health;
        Tiers = [.. original.Tiers.Select(tier => new DestinationGroup(gate, tier))];
    }

    public ClusterModel Model { get; }

    public PoolHealth Health { get; }

    /// <summary>In the order in which they are used: the primaries, then one kind of backups after another. At least one, never changed.</summary>
    public DestinationGroup[] Tiers { get; }

    /// <summary>The tier that a session is at. Another selection may have had more of them.</summary>
    public DestinationGroup TierOf(in DialAttempts attempts) => Tiers[Math.Min(attempts.Tier, Tiers.Length - 1)];

    /// <summary>For each tier that was there before, the numbers that its members had.</summary>
    public int[][] FindIn(ClusterSelection before)
        => [.. Tiers.Zip(before.Tiers, (tier, previous) => tier.FindIn(previous))];

    /// <summary>Takes over whose turn it is. Under the lock.</summary>
    public void ContinueFrom(ClusterSelection before, int[][] numbers)
    {
        for (var i = 0; i < numbers.Length; i++)
        {
            Tiers[i].ContinueFrom(before.Tiers[i], numbers[i]);
        }
    }

    /// <summary>Gives the destinations what this model says about them. Under the lock.</summary>
    public void TakeOver()
    {
        foreach (var tier in Tiers)
        {
            tier.TakeOver();
        }

        foreach (var ofThoseOut in new[] { true, false })
        {
            foreach (var tier in Tiers)
            {
                tier.TakeOut(ofThoseOut);
            }
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

    /// <summary>Null when it is no longer a member.</summary>
    private DestinationGroup? Find(DestinationState destination, in DialAttempts attempts, out int member)
    {
        var likely = TierOf(attempts);
        member = likely.IndexOf(destination, attempts);
        if (member >= 0)
        {
            return likely;
        }

        foreach (var tier in Tiers)
        {
            member = tier.IndexOf(destination, attempts);
            if (member >= 0)
            {
                return tier;
            }
        }

        return null;
    }
}
