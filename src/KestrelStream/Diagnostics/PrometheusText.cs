using System.Buffers;

namespace KestrelStream.Diagnostics;

/// <summary>The answer to a scrape.</summary>
internal static class PrometheusText
{
    public static void Write(StreamProxyMetrics metrics, IBufferWriter<byte> output)
    {
        var writer = new PrometheusTextWriter(output);
        foreach (var (family, read) in metrics.Readings)
        {
            writer.WriteFamily(family);
            foreach (var measurement in read())
            {
                writer.WriteSample(family, measurement.Tags, measurement.Value);
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
    }
}
