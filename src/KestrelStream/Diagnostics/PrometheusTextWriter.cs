using System.Buffers;
using System.Globalization;
using System.Text;

namespace KestrelStream.Diagnostics;

/// <summary>The Prometheus text format, version 0.0.4. One for each text; not thread-safe.</summary>
internal sealed class PrometheusTextWriter(IBufferWriter<byte> output)
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Longest form of a number, with room to spare.</summary>
    private const int MaxNumberBytes = 32;

    private static readonly SearchValues<char> ToEscape = SearchValues.Create("\\\"\n");

    /// <summary>Begins a metric; its samples follow at once.</summary>
    public void WriteFamily(MetricFamily family)
    {
        Write("# HELP "u8);
        Write(family.PrometheusName);
        Write(" "u8);
        Write(family.Help);
        Write("\n# TYPE "u8);
        Write(family.PrometheusName);
        Write(family.Kind switch
        {
            MetricKind.Counter => " counter\n"u8,
            MetricKind.Histogram => " histogram\n"u8,
            _ => " gauge\n"u8,
        });
    }

    public void WriteSample<T>(MetricFamily family, ReadOnlySpan<KeyValuePair<string, object?>> labels, T value)
        where T : struct, IUtf8SpanFormattable
    {
        Write(family.PrometheusName);
        var separator = "{"u8;
        foreach (var (name, text) in labels)
        {
            WriteLabel(separator, name, (string)text!);
            separator = ","u8;
        }

        Write(labels.IsEmpty ? " "u8 : "} "u8);
        Write(value);
        Write("\n"u8);
    }

    /// <param name="family">A histogram.</param>
    /// <param name="cluster">Label value; empty = no label.</param>
    /// <param name="cells">Its values.</param>
    public void WriteHistogram(MetricFamily family, string cluster, HistogramCells cells)
    {
        var count = 0L;
        for (var bucket = 0; bucket <= cells.Bounds.Seconds.Count; bucket++)
        {
            count += cells.CountIn(bucket);
            WriteName(family, "_bucket"u8, cluster);
            Write(cluster.Length == 0 ? "{"u8 : ","u8);
            Write("le=\""u8);
            if (bucket < cells.Bounds.Seconds.Count)
            {
                Write(cells.Bounds.Seconds[bucket]);
            }
            else
            {
                Write("+Inf"u8);
            }

            Write("\"} "u8);
            Write(count);
            Write("\n"u8);
        }

        WriteName(family, "_sum"u8, cluster);
        Write(cluster.Length == 0 ? " "u8 : "} "u8);
        Write(cells.Sum.TotalSeconds);
        Write("\n"u8);
        WriteName(family, "_count"u8, cluster);
        Write(cluster.Length == 0 ? " "u8 : "} "u8);
        Write(count);
        Write("\n"u8);
    }

    private void WriteName(MetricFamily family, ReadOnlySpan<byte> suffix, string cluster)
    {
        Write(family.PrometheusName);
        Write(suffix);
        if (cluster.Length > 0)
        {
            WriteLabel("{"u8, "cluster", cluster);
        }
    }

    private void WriteLabel(ReadOnlySpan<byte> separator, string name, string value)
    {
        Write(separator);
        Write(name);
        Write("=\""u8);
        var rest = value.AsSpan();
        for (int i; (i = rest.IndexOfAny(ToEscape)) >= 0; rest = rest[(i + 1)..])
        {
            Write(rest[..i]);
            Write(rest[i] switch
            {
                '\\' => "\\\\"u8,
                '"' => "\\\""u8,
                _ => "\\n"u8,
            });
        }

        Write(rest);
        Write("\""u8);
    }

    private void Write(ReadOnlySpan<byte> text) => output.Write(text);

    private void Write(ReadOnlySpan<char> text) => Encoding.UTF8.GetBytes(text, output);

    private void Write<T>(T number)
        where T : struct, IUtf8SpanFormattable
    {
        var fits = number.TryFormat(output.GetSpan(MaxNumberBytes), out var length, default, CultureInfo.InvariantCulture);
        System.Diagnostics.Debug.Assert(fits);
        output.Advance(length);
    }
}
