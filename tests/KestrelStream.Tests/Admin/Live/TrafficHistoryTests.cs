using System.Buffers;
using System.Text.Json;
using KestrelStream.Admin.Live;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Sessions;
using KestrelStream.Tests.Diagnostics;
using Xunit;

namespace KestrelStream.Tests.Admin.Live;

[Collection(Alone.Name)]
public sealed class TrafficHistoryTests
{
    [Fact]
    public void History_Steps_AreRatesBetweenThem()
    {
        using var proxy = new TestProxy();
        using var history = Create(proxy);
        history.Start();
        proxy.Time.Advance(TrafficHistory.Step);
        var session = proxy.Start();
        session.BytesIn = 500;
        proxy.Time.Advance(TrafficHistory.Step);
        session.BytesIn = 600;
        session.BytesOut = 50;
        proxy.End(session);
        proxy.Time.Advance(TrafficHistory.Step);

        var total = Read(history).GetProperty("total");
        Assert.Equal([0, 1, 0], Numbers(total, "sessions"));
        Assert.Equal([0, 0.2, 0], Numbers(total, "new_per_second"));
        Assert.Equal([0, 100, 20], Numbers(total, "in_per_second"));
        Assert.Equal([0, 0, 10], Numbers(total, "out_per_second"));
        Assert.Equal([2, 2, 2], Numbers(total, "members_up"));
    }

    [Fact]
    public void History_LongerThanItIs_KeepsTheLastQuarterOfAnHour()
    {
        using var proxy = new TestProxy();
        using var history = Create(proxy);
        for (var i = 0; i < TrafficHistory.Steps + 30; i++)
        {
            if (i == TrafficHistory.Steps + 20)
            {
                proxy.Start();
            }

            proxy.Time.Advance(TrafficHistory.Step);
            history.Take();
        }

        var sessions = Numbers(Read(history).GetProperty("total"), "sessions");
        Assert.Equal(TrafficHistory.Steps, sessions.Length);
        Assert.Equal(TrafficHistory.Steps - 10, Array.IndexOf(sessions, 1.0));
    }

    [Fact]
    public void History_OfACluster_HasItsMembers()
    {
        using var proxy = new TestProxy();
        using var history = Create(proxy);
        history.Take();
        Assert.False(Read(history).TryGetProperty("members", out _));
        Assert.Equal(["a", "b"], Read(history, "pool").GetProperty("members").EnumerateArray().Select(member => member.GetProperty("id").GetString()));
        Assert.Equal([0], Numbers(Read(history, "pool", "b").GetProperty("members").EnumerateArray().Single(), "out_per_second"));
    }

    [Fact]
    public void History_ThousandMembers_StaysSmall()
    {
        using var proxy = new TestProxy(TestProxy.Create() with
        {
            Clusters = new Dictionary<string, ClusterConfig>
            {
                ["pool"] = new() { Destinations = Enumerable.Range(1, 1000).ToDictionary(i => $"m{i}", i => new DestinationConfig { Address = $"10.0.{i / 250}.{i % 250 + 1}:80" }) },
            },
        });
        using var history = Create(proxy);
        history.Take();
        Assert.InRange(history.Size, 1, 250_000);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < TrafficHistory.Steps; i++)
        {
            history.Take();
        }

        // Less than before, where tests that ran meanwhile have let go of theirs.
        Assert.True(GC.GetTotalMemory(forceFullCollection: true) - before < 10_000_000);
        Assert.InRange(history.Size, 2_000_000, 4_000_000);
    }

    private static TrafficHistory Create(TestProxy proxy)
        => new(new TrafficReader(proxy, proxy.Table, proxy.Metrics), new RefusedSessions(proxy.Time), proxy.Time);

    private static JsonElement Read(TrafficHistory history, string? cluster = null, string? member = null)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            history.WriteTo(json, cluster, member);
        }

        using var document = JsonDocument.Parse(bytes.WrittenMemory);
        return document.RootElement.Clone();
    }

    private static double[] Numbers(JsonElement owner, string name) => [.. owner.GetProperty(name).EnumerateArray().Select(value => value.GetDouble())];
}
