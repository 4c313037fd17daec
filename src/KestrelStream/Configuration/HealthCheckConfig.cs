namespace KestrelStream.Configuration;

/// <summary>How dead destinations are found.</summary>
public sealed record HealthCheckConfig
{
    /// <summary>By checks that the proxy makes; null = none.</summary>
    public ActiveHealthCheckConfig? Active { get; init; }

    /// <summary>By the dials of sessions; null = with defaults.</summary>
    public PassiveHealthCheckConfig? Passive { get; init; }
}
