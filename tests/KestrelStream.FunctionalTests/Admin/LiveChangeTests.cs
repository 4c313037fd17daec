using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.FunctionalTests.Admin;

/// <summary>What operators change while sessions run, over HTTP, on both engines.</summary>
public sealed class LiveChangeTests
{
    public static TheoryData<EngineKind, string> EnginesAndPolicies
    {
        get
        {
            var data = new TheoryData<EngineKind, string>();
            foreach (var engine in Engines.All)
            {
                foreach (var policy in new[] { "RoundRobin", "LeastConnections", "LeastLatency", "Random", "PowerOfTwoChoices", "ConsistentHash", "FirstAlphabetical" })
                {
                    data.Add(engine, policy);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Drain_RunningSession_GoesOnAndItsEndIsTold(EngineKind engine)
    {
        await using var pool = await LivePool.StartAsync(engine, "ab");
        var (running, on) = await pool.OpenAsync();
        using var client = running;
        Assert.Equal('a', on);

        var answer = await pool.Admin.SetAsync("a", """{"state":"drain"}""");
        Assert.Equal("drain", answer.GetProperty("state").GetString());
        Assert.Equal("bbbb", await pool.RunAsync(4));
        await LivePool.EchoesAsync(running);
        var shown = await pool.Admin.DestinationAsync("a");
        Assert.Equal("drain", shown.GetProperty("state").GetString());
        Assert.Equal(1, shown.GetProperty("draining").GetInt32());
        Assert.Equal(0, Drained(pool));

        running.Shutdown(SocketShutdown.Send);
        Assert.Empty(await running.ReceiveToEndAsync());
        await Wait.UntilAsync(() => Drained(pool) == 1, "the log says that it is drained");
        Assert.Equal(0, (await pool.Admin.DestinationAsync("a")).GetProperty("draining").GetInt32());

        await pool.Admin.SetAsync("a", """{"state":"ready"}""");
        Assert.Contains('a', await pool.RunAsync(2));
        Assert.Equal(JsonValueKind.Null, (await pool.Admin.DestinationAsync("a")).GetProperty("draining").ValueKind);
        Assert.Equal(1, Drained(pool));
    }

    [Theory]
    [MemberData(nameof(EnginesAndPolicies))]
    public async Task Weight_AnyPolicy_HoldsForTheNextSession(EngineKind engine, string policy)
    {
        await using var pool = await LivePool.StartAsync(engine, "ab", c => c with { LoadBalancingPolicy = policy });
        await pool.Admin.SetAsync("a", """{"weight":0}""");
        Assert.Equal("bbbbbb", await pool.RunAsync(6));
        await pool.Admin.SetAsync("a", """{"weight":65535}""");
        await pool.Admin.SetAsync("b", """{"weight":0}""");
        Assert.Equal("aaaaaa", await pool.RunAsync(6));
        Assert.Equal(65535, (await pool.Admin.DestinationAsync("a")).GetProperty("weight").GetInt32());
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Members_AddedAndRemoved_TakeAndLoseSessions(EngineKind engine)
    {
        await using var pool = await LivePool.StartAsync(engine, "ax");
        var answer = await pool.Admin.ChangeAsync(
            "POST", "/api/clusters/c/destinations", $$"""{"id":"x","address":"{{pool.Address('x', "ax")}}","weight":3,"max_connections":10}""");
        Assert.Equal("ready", answer.GetProperty("state").GetString());
        Assert.Equal(6, (await pool.RunAsync(8)).Count(served => served == 'x'));

        var (running, _) = await pool.OpenAsync();
        using var client = running;
        await pool.Admin.ChangeAsync("DELETE", "/api/clusters/c/destinations/x");
        Assert.Equal("aaa", await pool.RunAsync(3));
        await LivePool.EchoesAsync(running);

        // The last one may go too, and come back.
        await pool.Admin.ChangeAsync("DELETE", "/api/clusters/c/destinations/a");
        var before = pool.Proxy.Sessions.Count;
        using (await pool.Proxy.TryConnectAsync())
        {
            Assert.Equal(SessionEndReason.NoDestination, await pool.Proxy.EndReasonAsync(before));
        }

        await pool.Admin.ChangeAsync("PUT", "/api/clusters/c/destinations", $$"""{"id":"a","address":"{{pool.Address('a', "ax")}}"}""");
        Assert.Equal("aaa", await pool.RunAsync(3));
        Assert.Equal("[]", (await pool.Admin.GetAsync("/api/config/diff")).GetRawText());
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Drain_AllPrimaries_BackupServesAndPoolIsNotIll(EngineKind engine)
    {
        await using var pool = await LivePool.StartAsync(engine, "ab", c => c with
        {
            Destinations = c.Destinations.ToDictionary(member => member.Key, member => member.Value with { Backup = member.Key == "b" }),
        });
        Assert.Equal("aa", await pool.RunAsync(2));
        await pool.Admin.SetAsync("a", """{"state":"drain"}""");
        Assert.Equal("bb", await pool.RunAsync(2));
        Assert.Equal(
            """{"status":"Healthy","clusters":{"c":{"status":"Healthy","up":1,"total":2,"drained":1}}}""",
            (await pool.Admin.GetAsync("/healthz")).GetRawText());

        await pool.Admin.SetAsync("b", """{"state":"maintenance"}""");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await pool.Admin.SendAsync("GET", "/healthz")).Status);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Health_Down_ClosesSessionsWhereTheClusterSaysSo(EngineKind engine)
    {
        await using var pool = await LivePool.StartAsync(engine, "ab", c => c with { OnUnhealthy = UnhealthyAction.Close });
        var (running, _) = await pool.OpenAsync();
        using var client = running;
        await pool.Admin.SetAsync("a", """{"health":"down"}""");
        Assert.True(await running.EndsWithResetAsync());
        Assert.Equal(SessionEndReason.DestinationDown, await pool.Proxy.EndReasonAsync());
        Assert.Equal("bb", await pool.RunAsync(2));
        Assert.Equal("Unhealthy", (await pool.Admin.DestinationAsync("a")).GetProperty("health").GetString());
        await pool.Admin.SetAsync("a", """{"health":"auto"}""");
        Assert.Contains('a', await pool.RunAsync(2));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Sessions_ClosedByIdAndByFilter_EndAsClosedByOperator(EngineKind engine)
    {
        await using var pool = await LivePool.StartAsync(engine, "ab");
        var clients = new List<Socket>();
        try
        {
            for (var i = 0; i < 6; i++)
            {
                clients.Add((await pool.OpenAsync()).Client);
            }

            var listed = (await pool.Admin.GetAsync("/api/sessions?destination=a")).EnumerateArray().Select(session => session.GetProperty("id").GetString()!).ToList();
            Assert.Equal(3, listed.Count);
            Assert.Equal("""{"closed":1}""", (await pool.Admin.ChangeAsync("DELETE", $"/api/sessions/{listed[0]}")).GetRawText());
            Assert.True(await clients[0].EndsWithResetAsync());
            Assert.Equal(SessionEndReason.ClosedByOperator, await pool.Proxy.EndReasonAsync());
            await Wait.UntilAsync(() => pool.Proxy.Log.Events.Any(logged => logged.Id == EventIds.OperatorChange), "it is logged");
            Assert.Equal(HttpStatusCode.NotFound, (await pool.Admin.SendAsync("DELETE", $"/api/sessions/{listed[0]}")).Status);

            Assert.Equal("""{"closed":2}""", (await pool.Admin.ChangeAsync("DELETE", "/api/sessions?route=all&cluster=c&destination=a")).GetRawText());
            Assert.True(await clients[2].EndsWithResetAsync());
            Assert.Equal(SessionEndReason.ClosedByOperator, await pool.Proxy.EndReasonAsync(2));
            Assert.Equal(SessionEndReason.ClosedByOperator, await pool.Proxy.EndReasonAsync(4));
            await LivePool.EchoesAsync(clients[1]);
            Assert.Equal("""{"closed":0}""", (await pool.Admin.ChangeAsync("DELETE", "/api/sessions?cluster=none")).GetRawText());
            foreach (var query in new[] { "", "?", "?rout=all", "?route=", "?route=all&route=other" })
            {
                Assert.Equal(HttpStatusCode.BadRequest, (await pool.Admin.SendAsync("DELETE", "/api/sessions" + query)).Status);
            }

            Assert.Equal(3, (await pool.Admin.GetAsync("/api/sessions?cluster=C")).GetArrayLength());
            Assert.Equal("""{"closed":3}""", (await pool.Admin.ChangeAsync("DELETE", "/api/sessions?cluster=c")).GetRawText());
            await Wait.UntilAsync(() => pool.Proxy.Sessions.All(session => session.Ended.IsCompleted), "all have ended");
            Assert.Contains(
                """kestrelstream_sessions_total{listener="public",route="all",cluster="c",end_reason="ClosedByOperator"} 6""",
                await pool.Admin.Client.GetStringAsync("/metrics"),
                StringComparison.Ordinal);
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Drain_OfTheFullOne_QueuedSessionsGoElsewhere(EngineKind engine)
    {
        await using var pool = await LivePool.StartAsync(engine, "ab", c => c with
        {
            Queue = new QueueConfig { MaxLength = 5 },
            Destinations = c.Destinations.ToDictionary(member => member.Key, member => member.Value with { MaxConnections = 1, Weight = member.Key == "a" ? 1 : 0 }),
        });
        var (running, _) = await pool.OpenAsync();
        using var first = running;
        using var waiting = await pool.Proxy.ConnectAsync();
        await WaitForQueueAsync(pool, 1);

        // Somebody else has room: the wait is over at once.
        await pool.Admin.SetAsync("b", """{"weight":1}""");
        Assert.Equal(new[] { (byte)'b' }, await waiting.ReceiveExactlyAsync(1));

        // Nobody is left to wait for.
        using var last = await pool.Proxy.ConnectAsync();
        await WaitForQueueAsync(pool, 1);
        await pool.Admin.SetAsync("a", """{"state":"drain"}""");
        await pool.Admin.SetAsync("b", """{"state":"drain"}""");
        Assert.Equal(SessionEndReason.NoDestination, await pool.Proxy.EndReasonAsync(2));
        await LivePool.EchoesAsync(running);
        await LivePool.EchoesAsync(waiting);
    }

    [Fact]
    public async Task Maintenance_ChecksPause()
    {
        await using var pool = await LivePool.StartAsync(EngineKind.Sockets, "a", c => c with
        {
            HealthCheck = new HealthCheckConfig { Active = new ActiveHealthCheckConfig { Interval = TimeSpan.FromMilliseconds(100), Jitter = 0 } },
        });
        await Wait.UntilAsync(() => pool.Upstreams[0].Count > 2, "checks");
        await pool.Admin.SetAsync("a", """{"state":"drain"}""");
        var checks = pool.Upstreams[0].Count;
        await Wait.UntilAsync(() => pool.Upstreams[0].Count > checks + 2, "checks of a drained one");

        await pool.Admin.SetAsync("a", """{"state":"maintenance"}""");
        checks = pool.Upstreams[0].Count;
        await Task.Delay(1000);
        Assert.InRange(pool.Upstreams[0].Count, checks, checks + 1);
        Assert.Equal("Healthy", (await pool.Admin.DestinationAsync("a")).GetProperty("health").GetString());

        await pool.Admin.SetAsync("a", """{"state":"ready"}""");
        await Wait.UntilAsync(() => pool.Upstreams[0].Count > checks + 3, "checks again");
    }

    [Fact]
    public async Task Added_WithAName_IsCheckedAndLookedUp()
    {
        await using var pool = await LivePool.StartAsync(EngineKind.Sockets, "ax", c => c with
        {
            HealthCheck = new HealthCheckConfig { Active = new ActiveHealthCheckConfig { Interval = TimeSpan.FromMilliseconds(100), InitialState = HealthCheckInitialState.Down } },
        });
        await pool.Admin.ChangeAsync("DELETE", "/api/clusters/c/destinations/a");
        await pool.Admin.ChangeAsync("POST", "/api/clusters/c/destinations", $$"""{"id":"x","address":"localhost:{{pool.Upstreams[1].EndPoint.Port}}"}""");

        // Down until it was checked twice.
        var clusters = await pool.Admin.GetAsync("/api/clusters");
        Assert.Equal(1, clusters[0].GetProperty("destinations").GetArrayLength());
        await Wait.UntilAsync(() => pool.Admin.DestinationAsync("x").GetAwaiter().GetResult().GetProperty("health").GetString() == "Healthy", "the checks find it up");
        Assert.Equal("xx", await pool.RunAsync(2));
    }

    private static async Task WaitForQueueAsync(LivePool pool, int length)
    {
        var queued = -1;
        while (queued != length)
        {
            var cluster = (await pool.Admin.GetAsync("/api/clusters"))[0];
            queued = cluster.GetProperty("queue_length").GetInt32();
            Assert.Equal(5, cluster.GetProperty("queue_max").GetInt32());
            await Task.Delay(10);
        }
    }

    private static int Drained(LivePool pool) => pool.Proxy.Log.Events.Count(logged => logged.Id == EventIds.DestinationDrained);
}
