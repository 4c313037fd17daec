using KestrelStream.Configuration;

namespace KestrelStream.Health;

/// <summary>Passive checks of one cluster, compiled. Immutable.</summary>
/// <param name="MaxFails">Failed dials that take a destination out; 0 = no account is kept.</param>
/// <param name="FailTimeout">Both the window in which failures add up and the penalty.</param>
/// <param name="Window"><paramref name="FailTimeout"/> in units of the clock's timestamps.</param>
internal sealed record PassiveHealthModel(int MaxFails, TimeSpan FailTimeout, long Window)
{
    public static readonly PassiveHealthModel Off = new(0, TimeSpan.Zero, 0);

    public bool IsOn => MaxFails > 0;

    /// <summary>
    /// A cluster of one destination keeps no account, as in nginx: taking the only one out helps nobody. A second one counts
    /// even when it gets no sessions (backup, weight 0).
    /// </summary>
    public static PassiveHealthModel Create(ClusterConfig cluster, TimeProvider time)
    {
        var passive = cluster.HealthCheck?.Passive ?? new PassiveHealthCheckConfig();
        if (!passive.Enabled || passive.MaxFails <= 0 || cluster.Destinations.Count <= 1)
        {
            return Off;
        }

        var window = (Int128)passive.FailTimeout.Ticks * time.TimestampFrequency / TimeSpan.TicksPerSecond;
        return new PassiveHealthModel(passive.MaxFails, passive.FailTimeout, (long)Int128.Min(window, long.MaxValue));
    }
}
