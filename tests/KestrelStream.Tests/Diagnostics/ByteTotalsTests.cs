using KestrelStream.Sessions;
using Xunit;

namespace KestrelStream.Tests.Diagnostics;

public sealed class ByteTotalsTests
{
    private const string In = """kestrelstream_bytes_total{listener="public",direction="in"}""";

    [Fact]
    public void Read_RunningSession_MovesWithIt()
    {
        using var proxy = new TestProxy();
        var session = proxy.Start();
        foreach (var bytes in new long[] { 0, 10, 5_000_000_000 })
        {
            session.BytesIn = bytes;
            Assert.Equal(bytes, StreamProxyMetricsTests.Scrape(proxy).Samples[In]);
        }

        proxy.End(session);
        Assert.Equal(5_000_000_000, StreamProxyMetricsTests.Scrape(proxy).Samples[In]);
    }

    [Fact]
    public void Read_SessionBetweenClosedAndCounted_DoesNotStepBack()
    {
        using var proxy = new TestProxy();
        var session = proxy.Start();
        session.BytesIn = 100;
        Assert.Equal(100, StreamProxyMetricsTests.Scrape(proxy).Samples[In]);

        session.TryEnd(SessionEndReason.Completed);
        session.Leave();
        Assert.Equal(100, StreamProxyMetricsTests.Scrape(proxy).Samples[In]);

        // Counted, and still in the table: not twice.
        proxy.Metrics.SessionEnded(session, TimeSpan.Zero);
        Assert.Equal(100, StreamProxyMetricsTests.Scrape(proxy).Samples[In]);
        proxy.Table.Remove(session);
        Assert.Equal(100, StreamProxyMetricsTests.Scrape(proxy).Samples[In]);
    }

    [Fact]
    public async Task Read_WhileSessionsComeAndGo_NeverDecreasesNorExceeds()
    {
        const int Sessions = 3000;
        const int Bytes = 1000;
        using var proxy = new TestProxy();
        var playing = Task.Run(() =>
        {
            for (var i = 0; i < Sessions; i++)
            {
                var session = proxy.Start();
                for (var sent = 1; sent <= Bytes; sent++)
                {
                    Volatile.Write(ref session.BytesIn, sent);
                }

                proxy.End(session);
            }
        });

        var last = 0.0;
        var readings = 0;
        do
        {
            var total = proxy.Metrics.ReadListeners().Single(listener => listener.Id == "public").BytesIn;
            Assert.True(total >= last, $"{total} after {last}");
            Assert.True(total <= (long)Sessions * Bytes, $"{total} is more than was ever sent");
            last = total;
            readings++;
        }
        while (!playing.IsCompleted);

        await playing;
        Assert.True(readings > 1);
        Assert.Equal((double)Sessions * Bytes, StreamProxyMetricsTests.Scrape(proxy).Samples[In]);
    }
}
