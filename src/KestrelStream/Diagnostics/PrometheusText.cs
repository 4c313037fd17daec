using System.Buffers;
using System.Diagnostics.Metrics;

namespace KestrelStream.Diagnostics;

/// <summary>The answer to a scrape.</summary>
internal static class PrometheusText
{
    /// <param name="metrics">The proxy's.</param>
    /// <param name="process">The process's; null = without.</param>
    /// <param name="output">Gets the text.</param>
    public static void Write(StreamProxyMetrics metrics, ProcessReadings? process, IBufferWriter<byte> output)
    {
        var writer = new PrometheusTextWriter(output);
        foreach (var (family, values) in process?.Read() ?? [])
        {
            WriteAll(writer, family, values);
        }

        foreach (var (family, read) in metrics.TimeReadings)
        {
            WriteAll(writer, family, read());
        }

        foreach (var (family, read) in metrics.FewReadings)
        {
            writer.WriteFamily(family);
            foreach (var measurement in read())
            {
                writer.WriteSample(family, measurement.Tags, measurement.Value);
            }
        }

        foreach (var (family, read) in metrics.SeriesReadings)
        {
            writer.WriteFamily(family);
            foreach (var series in read())
            {
                writer.WriteSample(family, series.Labels.Utf8Text, series.Value);
            }
        }

        // All samples of a metric stand together, behind its header.
        MetricFamily? current = null;
        foreach (var (family, cluster, cells) in metrics.Histograms)
        {
            if (family != current)
            {
                writer.WriteFamily(family);
                current = family;
            }

            writer.WriteHistogram(family, cluster, cells);
        }

        writer.Flush();
    }

    private static void WriteAll(PrometheusTextWriter writer, MetricFamily family, IEnumerable<Measurement<double>> values)
    {
        var isFirst = true;
        foreach (var measurement in values)
        {
            if (isFirst)
            {
                writer.WriteFamily(family);
                isFirst = false;
            }

            writer.WriteSample(family, measurement.Tags, measurement.Value);
        }
    }
}
