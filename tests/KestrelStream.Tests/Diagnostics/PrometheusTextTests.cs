using System.Buffers;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Sessions;
using KestrelStream.Transport;
using Xunit;

namespace KestrelStream.Tests.Diagnostics;

public sealed class PrometheusTextTests
{
    [Theory]
    [InlineData("plain")]
    [InlineData("quo\"te")]
    [InlineData("back\\slash")]
    [InlineData("line\nfeed")]
    [InlineData("\"\\\n")]
    [InlineData("\\n")]
    [InlineData("naïve-名")]
    [InlineData("a{b=\"c\"} 1")]
    public void WriteSample_LabelValue_IsEscaped(string value)
    {
        var text = new ArrayBufferWriter<byte>();
        var writer = new PrometheusTextWriter(text);
        writer.WriteFamily(MetricFamily.ActiveSessions);
        writer.WriteSample(MetricFamily.ActiveSessions, [new("listener", value), new("other", value)], 42);
        writer.Flush();

        var line = Encoding.UTF8.GetString(text.WrittenSpan).Split('\n')[2];
        var escaped = value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        Assert.Equal($"kestrelstream_active_sessions{{listener=\"{escaped}\",other=\"{escaped}\"}} 42", line);
    }

    [Fact]
    public void WriteSample_LoneSurrogate_IsStillUtf8()
    {
        var text = new ArrayBufferWriter<byte>();
        var writer = new PrometheusTextWriter(text);
        writer.WriteFamily(MetricFamily.ActiveSessions);
        writer.WriteSample(MetricFamily.ActiveSessions, [new("listener", "a\ud800b")], 1);
        writer.Flush();
        Assert.Contains("kestrelstream_active_sessions{listener=\"a\ufffdb\"}", PrometheusTextParser.Parse(text.WrittenSpan).Samples.Keys);
    }

    [Fact]
    public void WriteHistogram_Values_AreCumulative()
    {
        var cells = new HistogramCells(HistogramBounds.Dial);
        foreach (var milliseconds in new[] { 0, 0.5, 0.6, 10_000, 10_001 })
        {
            cells.Record(TimeSpan.FromMilliseconds(milliseconds));
        }

        var text = new ArrayBufferWriter<byte>();
        var writer = new PrometheusTextWriter(text);
        writer.WriteFamily(MetricFamily.DialDuration);
        writer.WriteHistogram(MetricFamily.DialDuration, "c", cells);
        writer.Flush();
        var samples = PrometheusTextParser.Parse(text.WrittenSpan).Samples;
        Assert.Equal(2, samples["""kestrelstream_dial_duration_seconds_bucket{cluster="c",le="0.0005"}"""]);
        Assert.Equal(3, samples["""kestrelstream_dial_duration_seconds_bucket{cluster="c",le="0.001"}"""]);
        Assert.Equal(4, samples["""kestrelstream_dial_duration_seconds_bucket{cluster="c",le="10"}"""]);
        Assert.Equal(5, samples["""kestrelstream_dial_duration_seconds_bucket{cluster="c",le="+Inf"}"""]);
        Assert.Equal(5, samples["""kestrelstream_dial_duration_seconds_count{cluster="c"}"""]);
        Assert.Equal(20.0021, samples["""kestrelstream_dial_duration_seconds_sum{cluster="c"}"""], 1e-9);
    }

    [Fact]
    public void Write_BeforeStart_IsValid()
    {
        using var proxy = new TestProxy();
        proxy.Current = null;
        Assert.NotEmpty(StreamProxyMetricsTests.Scrape(proxy).Samples);
    }

    [Fact]
    public void Write_ThousandRoutesAndClusters_StaysSmall()
    {
        const int Count = 1000;
        var ids = Enumerable.Range(0, Count).Select(i => $"customer-{i}").ToList();
        using var proxy = new TestProxy(new StreamProxyConfig
        {
            Listeners = new Dictionary<string, ListenerConfig> { ["public"] = new() { Address = "127.0.0.1:443" } },
            Routes = ids.ToDictionary(id => id, id => new RouteConfig { Match = new RouteMatch { Sni = [id] }, ClusterId = id }),
            Clusters = ids.ToDictionary(id => id, _ => new ClusterConfig
            {
                Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = "127.0.0.1:9001" } },
            }),
        });
        foreach (var id in ids)
        {
            var session = proxy.Start();
            session.Route = proxy.Route(id);
            proxy.Metrics.DialEnded(session, new("a", null, ConnectStatus.Connected, TimeSpan.FromMilliseconds(1)), "a");
            proxy.End(session, SessionEndReason.Completed);
        }

        var text = new ArrayBufferWriter<byte>();
        PrometheusText.Write(proxy.Metrics, process: null, text);
        Assert.InRange(text.WrittenCount, 100_000, 2_000_000);
        Assert.Equal(Count, PrometheusTextParser.Parse(text.WrittenSpan).Samples.Count(sample => sample.Key.StartsWith("kestrelstream_sessions_total", StringComparison.Ordinal)));
    }
}
