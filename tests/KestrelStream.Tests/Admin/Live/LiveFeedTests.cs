using System.Text.Json;
using KestrelStream.Admin.Live;
using KestrelStream.Diagnostics;
using KestrelStream.Management;
using KestrelStream.Model;
using KestrelStream.Tests.Diagnostics;
using Xunit;

namespace KestrelStream.Tests.Admin.Live;

public sealed class LiveFeedTests
{
    [Fact]
    public async Task Frames_NextOne_HasOnlyWhatChanged()
    {
        using var proxy = new TestProxy();
        using var feed = Create(proxy);
        Assert.True(feed.TryEnter());
        var first = await feed.NextAsync(0);
        Assert.Equal([2, 2, 2], Rows(first.Everything, "l", "r", "m"));

        var next = feed.NextAsync(first.Number);
        proxy.Start();
        Assert.False(next.IsCompleted);
        proxy.Time.Advance(TimeSpan.FromSeconds(1));
        var second = await next;
        Assert.Equal((first.Number, first.Model), (second.Previous, second.Model));
        Assert.Equal([1, 0, 0], Rows(second.Changes, "l", "r", "m"));
        Assert.Equal("[1,1,1,1,0,0]", Root(second.Changes).GetProperty("l")[0].GetRawText());
    }

    [Fact]
    public async Task Frames_MemberGone_ComeWithAnotherModel()
    {
        using var proxy = new TestProxy();
        using var feed = Create(proxy);
        Assert.True(feed.TryEnter());
        var first = await feed.NextAsync(0);
        proxy.Apply(TestProxy.Create());
        var next = feed.NextAsync(first.Number);
        proxy.Time.Advance(TimeSpan.FromSeconds(1));
        var second = await next;
        Assert.NotEqual(first.Model, second.Model);
        Assert.Equal(0, second.Previous);
        Assert.Equal([2, 2, 2], Rows(second.Everything, "l", "r", "m"));
        Assert.Equal(2, Root(second.WriteModel()).GetProperty("generation").GetInt64());
    }

    [Fact]
    public void Frames_DestinationUsed_ShowItsNumbers()
    {
        using var proxy = new TestProxy();
        using var feed = Create(proxy);
        var session = proxy.Start();
        session.Route = proxy.Route("app1");
        var attempts = default(DialAttempts);
        session.Destination = proxy.Cluster("pool").Next(ref attempts);
        proxy.Cluster("pool").DialSucceeded(session.Destination!, attempts);
        (session.BytesIn, session.BytesOut) = (7, 9);
        var frame = feed.Now();
        Assert.Equal("[0,1,1,1,7,9,0,0]", Root(frame.Everything).GetProperty("m")[0].GetRawText());
        Assert.Equal("[0,1,1,7,9]", Root(frame.Everything).GetProperty("r")[0].GetRawText());

        // What it has carried stays when it ends.
        (session.BytesIn, session.BytesOut) = (17, 19);
        session.Leave();
        session.Destination!.CountEnd(session.BytesIn, session.BytesOut, hasFailed: true);
        proxy.Cluster("pool").Release(session.Destination);
        proxy.End(session);
        frame = feed.Now();
        Assert.Equal("[0,0,1,1,17,19,0,1]", Root(frame.Everything).GetProperty("m")[0].GetRawText());
        Assert.Equal("[0,0,1,17,19]", Root(frame.Everything).GetProperty("r")[0].GetRawText());
    }

    [Fact]
    public void TryEnter_TooMany_IsRefusedUntilOneLeaves()
    {
        using var proxy = new TestProxy();
        using var feed = Create(proxy);
        Assert.All(Enumerable.Range(0, LiveFeed.MaxWatchers), _ => Assert.True(feed.TryEnter()));
        Assert.False(feed.TryEnter());
        feed.Leave();
        Assert.True(feed.TryEnter());
    }

    private static LiveFeed Create(TestProxy proxy)
        => new(new TrafficReader(proxy, proxy.Table, proxy.Metrics), proxy, new RefusedSessions(proxy.Time), new ConfigHistory(proxy.Time), proxy.Time);

    private static int[] Rows(ReadOnlyMemory<byte> frame, params string[] names) => [.. names.Select(name => Root(frame).GetProperty(name).GetArrayLength())];

    private static JsonElement Root(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
