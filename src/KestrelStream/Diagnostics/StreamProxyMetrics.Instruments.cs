using System.Diagnostics.Metrics;

namespace KestrelStream.Diagnostics;

/// <content>The instruments: those of <see cref="Readings"/> look at the cells when they are observed, histograms are recorded into beside our own cells.</content>
internal sealed partial class StreamProxyMetrics
{
    public const string MeterName = "KestrelStream";

    private readonly Histogram<double> _sessionDuration;
    private readonly Histogram<double> _dialDuration;
    private readonly Histogram<double> _handshakeDuration;
    private readonly Histogram<double> _upstreamHandshakeDuration;
    private readonly Histogram<double> _queueDuration;

    private (Histogram<double> Session, Histogram<double> Dial, Histogram<double> Handshake, Histogram<double> UpstreamHandshake, Histogram<double> Queue) CreateInstruments(IMeterFactory meters)
    {
        // The factory owns the meter and ends it with the container.
        var meter = meters.Create(new MeterOptions(MeterName));
        foreach (var (family, read) in Readings)
        {
            _ = family.Kind switch
            {
                MetricKind.Counter => (Instrument)meter.CreateObservableCounter(family.Name, read, family.Unit, family.Help),
                MetricKind.UpDownCounter => meter.CreateObservableUpDownCounter(family.Name, read, family.Unit, family.Help),
                _ => meter.CreateObservableGauge(family.Name, read, family.Unit, family.Help),
            };
        }

        foreach (var (family, read) in TimeReadings)
        {
            _ = family.Kind == MetricKind.Counter
                ? (Instrument)meter.CreateObservableCounter(family.Name, read, family.Unit, family.Help)
                : meter.CreateObservableGauge(family.Name, read, family.Unit, family.Help);
        }

        return (
            CreateHistogram(meter, MetricFamily.SessionDuration, HistogramBounds.Session),
            CreateHistogram(meter, MetricFamily.DialDuration, HistogramBounds.Dial),
            CreateHistogram(meter, MetricFamily.TlsHandshakeDuration, HistogramBounds.Handshake),
            CreateHistogram(meter, MetricFamily.UpstreamTlsHandshakeDuration, HistogramBounds.Handshake),
            CreateHistogram(meter, MetricFamily.QueueDuration, HistogramBounds.Handshake));
    }

    private static Histogram<double> CreateHistogram(Meter meter, MetricFamily family, HistogramBounds bounds)
        => meter.CreateHistogram(
            family.Name, family.Unit, family.Help, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds.Seconds });
}
