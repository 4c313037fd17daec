namespace KestrelStream.Configuration;

/// <summary>What is counted beside everything that always is.</summary>
public sealed record MetricsConfig
{
    /// <summary>
    /// Server names that get a series of their own in <c>kestrelstream_name_sessions_total</c>: the most asked for, up to so many; all others share one.
    /// 0 = no such metric. Default 0.
    /// </summary>
    public int TopNames { get; init; }
}
