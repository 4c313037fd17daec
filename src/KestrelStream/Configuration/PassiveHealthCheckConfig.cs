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
}
