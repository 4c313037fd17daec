using KestrelStream.Configuration;

namespace KestrelStream.Health;

/// <summary>Passive checks of one cluster, compiled. Immutable.</summary>
/// <param name="MaxFails">Failures that take a destination out; 0 = no account is kept.</param>
/// <param name="FailTimeout">Both the window in which failures add up and the (first) penalty.</param>
/// <param name="Window"><paramref name="FailTimeout"/> in units of the clock's timestamps.</param>
/// <param name="MaxWindow">The longest penalty; <paramref name="Window"/> when it does not grow.</param>
/// <param name="MaxOut">Most destinations of the cluster that may be out for it.</param>
/// <param name="CountsResets">A session that is reset before the destination has sent a byte is a failure.</param>
internal sealed record PassiveHealthModel(int MaxFails, TimeSpan FailTimeout, long Window, long MaxWindow, int MaxOut, bool CountsResets)
{
    public static readonly PassiveHealthModel Off = new(0, TimeSpan.Zero, 0, 0, 0, false);

    /// <summary>Where failures beyond nginx's count, a fault of the clients or of this machine must not take everything out.</summary>
    private const int OutlierPercent = 50;

    public bool IsOn => MaxFails > 0;

    /// <summary>
    /// A cluster of one destination keeps no account, as in nginx: taking the only one out helps nobody. A second one counts
    /// even when it gets no sessions (backup, weight 0), but not while an operator has taken it out of service.
    /// </summary>
    /// <param name="cluster">Says what counts.</param>
    /// <param name="total">Members that it has now, without those that an operator has taken out of service.</param>
    /// <param name="time">The cluster's clock.</param>
    public static PassiveHealthModel Create(ClusterConfig cluster, int total, TimeProvider time)
    {
        var passive = cluster.HealthCheck?.Passive ?? new PassiveHealthCheckConfig();
        if (!passive.Enabled || passive.MaxFails <= 0 || total <= 1)
        {
            return Off;
        }

        var percent = passive.MaxEjectedPercent ?? (passive.CountResets || passive.MaxFailTimeout is not null ? OutlierPercent : 100);
        var maxOut = percent == 0 ? 0 : Math.Max(1, (int)((long)total * percent / 100));
        var window = Timestamps(passive.FailTimeout, time);
        var maxWindow = passive.MaxFailTimeout is { } longest ? Math.Max(window, Timestamps(longest, time)) : window;
        return new PassiveHealthModel(passive.MaxFails, passive.FailTimeout, window, maxWindow, maxOut, passive.CountResets);
    }

    /// <summary>How long a destination stays out the <paramref name="rounds"/>th time in a row: a window longer each time.</summary>
    public long PenaltyOf(int rounds) => rounds <= 1 || Window == 0 ? Window : rounds > MaxWindow / Window ? MaxWindow : Window * rounds;

    /// <summary>The same as a time.</summary>
    public TimeSpan TimeOf(int rounds) => Window == 0 ? FailTimeout : FailTimeout * (PenaltyOf(rounds) / (double)Window);

    private static long Timestamps(TimeSpan value, TimeProvider time)
        => (long)Int128.Min((Int128)value.Ticks * time.TimestampFrequency / TimeSpan.TicksPerSecond, long.MaxValue);
}
