namespace KestrelStream.Diagnostics;

/// <summary>Labels of a series that lives long, once for each of their readers. Immutable.</summary>
internal sealed class SeriesLabels(params KeyValuePair<string, object?>[] tags)
{
    /// <summary>For instruments.</summary>
    public KeyValuePair<string, object?>[] Tags { get; } = tags;

    /// <summary>For the Prometheus text.</summary>
    public byte[] Utf8Text { get; } = PrometheusTextWriter.Format(tags);

    /// <summary>The same and one more behind them.</summary>
    public SeriesLabels With(string name, string value) => new([.. Tags, new(name, value)]);
}
