namespace KestrelStream.Configuration;

/// <summary>nginx's max_fails and fail_timeout. A cluster with one destination keeps no such account, as in nginx.</summary>
public sealed record PassiveHealthCheckConfig
{
    /// <summary>Default true.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Failed dials that take a destination out; a success more than <see cref="FailTimeout"/> after the last failure clears the account, as in nginx. Default 1. 0 = never.</summary>
    public int MaxFails { get; init; } = 1;

    /// <summary>How long a destination stays out; then one session tries it. Default 10 s.</summary>
    public TimeSpan FailTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Lets the time grow: a destination that is taken out again, or whose trial fails, stays out for one <see cref="FailTimeout"/> longer
    /// each time, up to this. Null (default) = always the same, as in nginx.
    /// </summary>
    public TimeSpan? MaxFailTimeout { get; init; }

    /// <summary>A session that the destination resets before it has sent a byte is a failure as well. Default false, as in nginx.</summary>
    public bool CountResets { get; init; }

    /// <summary>
    /// Most destinations of the cluster that may be out at once, in percent; 1 of them in any case, unless it is 0.
    /// Null (default) = 50 with <see cref="CountResets"/> or <see cref="MaxFailTimeout"/>, otherwise all, as in nginx.
    /// </summary>
    public int? MaxEjectedPercent { get; init; }
}
