namespace KestrelStream.Diagnostics;

/// <summary>Kinds of a <see cref="MetricFamily"/>, by what may be done with its values.</summary>
internal enum MetricKind
{
    /// <summary>Only grows.</summary>
    Counter,

    /// <summary>A count of what is there now: sums over labels make sense.</summary>
    UpDownCounter,

    /// <summary>A state of now.</summary>
    Gauge,

    /// <summary>Counts by size.</summary>
    Histogram,
}
