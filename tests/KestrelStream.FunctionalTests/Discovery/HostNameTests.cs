using System.Diagnostics;
using System.Net;
using KestrelStream.Configuration;
using KestrelStream.Discovery;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Discovery;

/// <summary>Members found by a host name whose addresses change while sessions run. The name server is a real one.</summary>
public sealed class HostNameTests
{
    private const string Name = "db.example.com";

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Zone_ChangesWhileSessionsRun_NewSessionsFollowAndRunningOnesStay(EngineKind engine)
    {
        await using var server = await DnsmasqServer.StartAsync([$"127.0.0.3 {Name}", $"127.0.0.2 {Name}"]);
        await using var pool = await DiscoveryPool.StartAsync(engine, server.EndPoint, [2, 3, 4], [$"{Name}:PORT"], c => c with { OnUnhealthy = UnhealthyAction.Close });

        // Every address is a member, from the first session on.
        Assert.Equal("2323", await pool.AskAsync(4));
        var (running, member) = await pool.OpenAsync();
        using var _ = running;
        Assert.Equal("2", member);
        var kept = pool.State.Model.Destinations[1];

        // One more.
        await server.SetHostsAsync($"127.0.0.2 {Name}", $"127.0.0.3 {Name}", $"127.0.0.4 {Name}");
        await pool.UntilMembersAsync("127.0.0.2 127.0.0.3 127.0.0.4");
        Assert.Equal("234", string.Concat((await pool.AskAsync(3)).Order()));

        // The one with the session goes: it stays to the session's end, and gets no other.
        await server.SetHostsAsync($"127.0.0.3 {Name}", $"127.0.0.4 {Name}");
        await pool.UntilMembersAsync("127.0.0.3 127.0.0.4");
        Assert.Same(kept, pool.State.Model.Destinations[0]);
        Assert.DoesNotContain('2', await pool.AskAsync(10));
        var leaving = Assert.Single(pool.State.Model.Sources[0].Leaving);
        Assert.Equal("d1@127.0.0.2", leaving.Id);
        await running.SendAllAsync(new byte[] { 7 });
        Assert.Equal([7], await running.ReceiveExactlyAsync(1));

        // It comes back while its last session runs: as if it were new.
        await server.SetHostsAsync($"127.0.0.2 {Name}", $"127.0.0.3 {Name}");
        await pool.UntilMembersAsync("127.0.0.2 127.0.0.3");
        Assert.Equal("23", string.Concat((await pool.AskAsync(2)).Order()));
        Assert.NotSame(leaving, pool.State.Model.Destinations[0]);
        await running.SendAllAsync(new byte[] { 8 });
        Assert.Equal([8], await running.ReceiveExactlyAsync(1));

        running.Dispose();
        await Wait.UntilAsync(() => !pool.State.Model.Sources[0].Leaving.Any(), "the end of the last session of a member that left");
        Assert.Equal(2, pool.Proxy.Log.Events.Count(e => e.Message.Contains("no longer has the member", StringComparison.Ordinal)));
        Assert.Equal(4, pool.Proxy.Log.Events.Count(e => e.Message.Contains("has a new member", StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Zone_AllRemovedOrServerDown_LastGoodAnswerStays(EngineKind engine)
    {
        await using var server = await DnsmasqServer.StartAsync([$"127.0.0.2 {Name}", $"127.0.0.3 {Name}"]);
        await using var pool = await DiscoveryPool.StartAsync(engine, server.EndPoint, [2, 3], [$"{Name}:PORT"]);
        Assert.Equal("23", await pool.AskAsync(2));
        var source = pool.State.Model.Sources[0];

        // NXDOMAIN.
        await server.SetHostsAsync();
        await Wait.UntilAsync(() => source.Lookups(LookupResult.Empty) >= 2, "two lookups without an answer");
        Assert.Equal("23", await pool.AskAsync(2));

        await server.StopAsync();
        await Wait.UntilAsync(() => source.Lookups(LookupResult.Failed) >= 2, "two lookups that fail");
        Assert.Equal("23", await pool.AskAsync(2));
        Assert.Equal("it has no address", Assert.Single(Warnings(pool)).Split(": ")[2].Split(". ")[0]);

        // Back, with one of them.
        await server.StartAgainAsync([$"127.0.0.3 {Name}"]);
        await pool.UntilMembersAsync("127.0.0.3");
        Assert.Equal("33", await pool.AskAsync(2));
        Assert.Single(Warnings(pool));
        Assert.Single(pool.Proxy.Log.Events, e => e.Message.Contains("resolves again", StringComparison.Ordinal));
    }

    /// <summary>Nothing at start depends on the name server: sessions end in bounded time, and work once it is there.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Start_ServerDown_ListensAndEndsSessionsWithNoDestination(EngineKind engine)
    {
        await using var server = await DnsmasqServer.StartAsync([$"127.0.0.2 {Name}"]);
        await server.StopAsync();
        await using var pool = await DiscoveryPool.StartAsync(engine, server.EndPoint, [2], [$"{Name}:PORT"]);

        using (await pool.Proxy.TryConnectAsync())
        {
            Assert.Equal(SessionEndReason.NoDestination, await pool.Proxy.EndReasonAsync());
        }

        await server.StartAgainAsync();
        await pool.UntilMembersAsync("127.0.0.2");
        Assert.Equal("2", await pool.AskAsync(1));
    }

    /// <summary>A server that says nothing at all: sessions wait for the first answer, but no longer than for a dial.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Start_ServerIsSilent_SessionsWaitForConnectTimeoutAtMost(EngineKind engine)
    {
        using var silent = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Dgram, System.Net.Sockets.ProtocolType.Udp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using var pool = await DiscoveryPool.StartAsync(
            engine, (IPEndPoint)silent.LocalEndPoint!, [], [$"{Name}:PORT"], c => c with { ConnectTimeout = TimeSpan.FromMilliseconds(300) }, answerWithin: TimeSpan.FromHours(1));
        var watch = Stopwatch.StartNew();

        using var client = await pool.Proxy.TryConnectAsync();

        Assert.Equal(SessionEndReason.NoDestination, await pool.Proxy.EndReasonAsync());
        Assert.InRange(watch.Elapsed, TimeSpan.FromMilliseconds(250), Wait.Limit);
        Assert.False(pool.State.Model.FirstAnswer!.IsCompleted);
    }

    /// <summary>The time to live says when to ask again, where it is shorter than DnsRefresh.</summary>
    [Fact]
    public async Task Refresh_TtlIsShort_IsHonoured()
    {
        await using var server = await DnsmasqServer.StartAsync([$"127.0.0.2 {Name}"], ttl: 1);
        await using var pool = await DiscoveryPool.StartAsync(
            EngineKind.Sockets, server.EndPoint, [2, 3], [$"{Name}:PORT"], c => c with { DnsRefresh = TimeSpan.FromHours(1) });
        await pool.UntilMembersAsync("127.0.0.2");

        await server.SetHostsAsync($"127.0.0.3 {Name}");

        await pool.UntilMembersAsync("127.0.0.3");
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Reload_ClusterIsNotTouched_MembersKeepWhatTheyHave(EngineKind engine)
    {
        await using var server = await DnsmasqServer.StartAsync([$"127.0.0.2 {Name}", $"127.0.0.3 {Name}"]);
        await using var pool = await DiscoveryPool.StartAsync(engine, server.EndPoint, [2, 3], [$"{Name}:PORT"]);
        Assert.Equal("2", await pool.AskAsync(1));
        var members = pool.State.Model.Destinations;

        var config = DiscoveryPool.Config(engine, server.EndPoint, pool.Port, [$"{Name}:PORT"]);
        Assert.True((await pool.Proxy.ReloadAsync(config with { ShutdownTimeout = TimeSpan.FromSeconds(11) })).IsApplied);

        // Not even the turn is lost.
        Assert.Equal("3", await pool.AskAsync(1));
        Assert.Equal(2, pool.State.Model.Destinations.Length);
        Assert.All(members.Zip(pool.State.Model.Destinations), pair => Assert.Same(pair.First, pair.Second));
        Assert.Equal(1, members[0].TotalSessions);
    }

    /// <summary>Other name servers from now on: they are asked at once, not when the next refresh is due.</summary>
    [Fact]
    public async Task Reload_OtherNameServer_IsAskedAtOnce()
    {
        await using var first = await DnsmasqServer.StartAsync([$"127.0.0.2 {Name}"], ttl: 3600);
        await using var second = await DnsmasqServer.StartAsync([$"127.0.0.3 {Name}"], ttl: 3600);
        Func<ClusterConfig, ClusterConfig> rarely = c => c with { DnsRefresh = TimeSpan.FromHours(1) };
        await using var pool = await DiscoveryPool.StartAsync(EngineKind.Sockets, first.EndPoint, [2, 3], [$"{Name}:PORT"], rarely);
        await pool.UntilMembersAsync("127.0.0.2");

        Assert.True((await pool.Proxy.ReloadAsync(DiscoveryPool.Config(EngineKind.Sockets, second.EndPoint, pool.Port, [$"{Name}:PORT"], rarely))).IsApplied);

        await pool.UntilMembersAsync("127.0.0.3");
    }

    /// <summary>A member that does not answer is one of several that can be out; the others take its sessions.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Member_Dead_IsOutByItself(EngineKind engine)
    {
        await using var server = await DnsmasqServer.StartAsync([$"127.0.0.2 {Name}", $"127.0.0.3 {Name}", $"127.0.0.4 {Name}"]);
        await using var pool = await DiscoveryPool.StartAsync(engine, server.EndPoint, [2, 4], [$"{Name}:PORT"]);

        Assert.Equal("24242424", string.Concat((await pool.AskAsync(8)).Chunk(2).SelectMany(pair => pair.Order())));
        Assert.Equal([1, 0], pool.State.Model.Destinations.GroupBy(member => member.DialFailures).OrderByDescending(group => group.Key).Select(group => group.Key));
    }

    private static string[] Warnings(DiscoveryPool pool)
        => [.. pool.Proxy.Log.Events.Select(e => e.Message).Where(message => message.Contains("does not resolve", StringComparison.Ordinal))];
}
