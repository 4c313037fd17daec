using System.Buffers;
using System.Diagnostics;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Dialing;
using KestrelStream.Sessions;
using KestrelStream.Transport;
using Xunit;
using Xunit.Abstractions;

namespace KestrelStream.Tests.Diagnostics;

/// <summary>A scrape of a large configuration in which everything has happened.</summary>
public sealed class ScrapeSizeTests(ITestOutputHelper output)
{
    private const int Count = 1000;

    [Theory]
    [InlineData(1)]
    [InlineData(Count)]
    public void Write_ThousandRoutesAndMembers_IsBelowTwoMegabytes(int clusters)
    {
        using var proxy = new TestProxy(Create(clusters));
        for (var i = 0; i < Count; i++)
        {
            var session = proxy.Start();
            session.Route = proxy.Route($"route-{i}");
            var attempt = new DialAttempt($"member-{i}", null, ConnectStatus.Connected, TimeSpan.FromMilliseconds(1));
            proxy.Metrics.DialEnded(session, attempt, attempt.Destination);
            proxy.End(session, SessionEndReason.Completed);
        }

        var text = new ArrayBufferWriter<byte>();
        PrometheusText.Write(proxy.Metrics, new ProcessReadings(new DescriptorBudget()), text);
        Assert.InRange(text.WrittenCount, 100_000, 2_000_000);

        var best = TimeSpan.MaxValue;
        for (var i = 0; i < 10; i++)
        {
            text.ResetWrittenCount();
            var watch = Stopwatch.StartNew();
            PrometheusText.Write(proxy.Metrics, new ProcessReadings(new DescriptorBudget()), text);
            best = watch.Elapsed < best ? watch.Elapsed : best;
        }

        output.WriteLine($"{clusters} clusters: {text.WrittenCount} bytes, {best.TotalMilliseconds:F1} ms");
    }

    private static StreamProxyConfig Create(int clusters) => TestProxy.Create() with
    {
        Routes = Enumerable.Range(0, Count).ToDictionary(
            i => $"route-{i}",
            i => new RouteConfig { Match = new RouteMatch { Sni = [$"host{i}.example.com"] }, ClusterId = $"cluster-{i % clusters}" }),
        Clusters = Enumerable.Range(0, clusters).ToDictionary(
            i => $"cluster-{i}",
            i => new ClusterConfig
            {
                Destinations = Enumerable.Range(0, Count).Where(member => member % clusters == i)
                    .ToDictionary(member => $"member-{member}", member => new DestinationConfig { Address = $"10.0.{member / 250}.{member % 250}:443" }),
            }),
    };
}
