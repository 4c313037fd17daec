using System.Diagnostics.Metrics;

namespace KestrelStream.Diagnostics;

/// <summary>What a series says now, where there are as many as routes or destinations: unlike a <see cref="Measurement{T}"/> it copies no labels.</summary>
internal readonly record struct SeriesReading(SeriesLabels Labels, long Value)
{
    public Measurement<long> ToMeasurement() => new(Value, Labels.Tags);
}
