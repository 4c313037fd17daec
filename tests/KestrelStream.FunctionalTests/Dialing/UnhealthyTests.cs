using System.Net;
using System.Net.Sockets;
using KestrelStream.Configuration;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Dialing;

/// <summary>Destinations that die while sessions run on them.</summary>
public sealed class UnhealthyTests
{
    /// <summary>Says who it is to everybody who comes, as a process that can be killed.</summary>
    private const string Greeter = """
        import socketserver, sys
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                self.request.sendall(sys.argv[1].encode())
        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 512
        server = Server(("127.0.0.1", 0), Handler)
        print(server.server_address[1], flush=True)
        server.serve_forever()
        """;

    public static TheoryData<EngineKind, UnhealthyAction> EnginesAndActions
    {
        get
        {
            var data = new TheoryData<EngineKind, UnhealthyAction>();
            foreach (var engine in Engines.All)
            {
                data.Add(engine, UnhealthyAction.Keep);
                data.Add(engine, UnhealthyAction.Close);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(EnginesAndActions))]
    public async Task DestinationGoesDown_RunningSessions_AreKeptOrClosed(EngineKind engine, UnhealthyAction action)
    {
        using var dying = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        dying.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        dying.Listen();
        await using var alive = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(
            Pool(engine, [(IPEndPoint)dying.LocalEndPoint!, alive.EndPoint], c => c with { LoadBalancingPolicy = "FirstAlphabetical", OnUnhealthy = action }));
        using var running = await proxy.ConnectAsync();
        using var upstream = await dying.AcceptAsync().WaitAsync(Wait.Limit);
        await running.SendAllAsync(new byte[] { 1 });
        Assert.Equal([1], await upstream.ReceiveExactlyAsync(1));

        // It takes nobody any more, but what it has it goes on serving.
        dying.Dispose();
        using var next = await proxy.ConnectAsync();
        await next.SendAllAsync(new byte[] { 2 });
        Assert.Equal([2], await next.ReceiveExactlyAsync(1));

        if (action == UnhealthyAction.Close)
        {
            Assert.True(await running.EndsWithResetAsync());
            Assert.Equal(SessionEndReason.DestinationDown, await proxy.EndReasonAsync());
        }
        else
        {
            await upstream.SendAllAsync(new byte[] { 3 });
            Assert.Equal([3], await running.ReceiveExactlyAsync(1));
        }

        // The session that found it out is on the other one and is left alone.
        await next.SendAllAsync(new byte[] { 4 });
        Assert.Equal([4], await next.ReceiveExactlyAsync(1));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task ResetsBeforeTheFirstByte_CountResets_TakeItOut(EngineKind engine)
    {
        await using var broken = new ScriptedUpstream(async socket =>
        {
            await socket.ReceiveAsync(new byte[16]);
            socket.Reset();
        });
        await using var alive = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(Pool(engine, [broken.EndPoint, alive.EndPoint], c => c with
        {
            LoadBalancingPolicy = "FirstAlphabetical",
            HealthCheck = new HealthCheckConfig { Passive = new PassiveHealthCheckConfig { CountResets = true, FailTimeout = TimeSpan.FromMinutes(10) } },
        }));

        using (var first = await proxy.ConnectAsync())
        {
            await first.SendAllAsync(new byte[] { 1 });
            Assert.True(await first.EndsWithResetAsync());
            Assert.Equal(SessionEndReason.UpstreamReset, await proxy.EndReasonAsync());
        }

        for (var i = 0; i < 5; i++)
        {
            using var client = await proxy.ConnectAsync();
            await client.SendAllAsync(new byte[] { 7 });
            Assert.Equal([7], await client.ReceiveExactlyAsync(1));
        }

        Assert.Equal(1, broken.Count);
    }

    /// <summary>A destination that resets after an answer has done its work, as far as this proxy can know.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task ResetsAfterTheFirstByte_CountResets_StaysIn(EngineKind engine)
    {
        await using var rude = new ScriptedUpstream(async socket =>
        {
            await socket.SendAllAsync(new byte[] { 9 });
            await socket.ReceiveAsync(new byte[16]);
            socket.Reset();
        });
        await using var alive = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(Pool(engine, [rude.EndPoint, alive.EndPoint], c => c with
        {
            LoadBalancingPolicy = "FirstAlphabetical",
            HealthCheck = new HealthCheckConfig { Passive = new PassiveHealthCheckConfig { CountResets = true } },
        }));

        for (var i = 0; i < 3; i++)
        {
            using var client = await proxy.ConnectAsync();
            Assert.Equal([9], await client.ReceiveExactlyAsync(1));
            await client.SendAllAsync(new byte[] { 1 });
            Assert.True(await client.EndsWithResetAsync());
            Assert.Equal(SessionEndReason.UpstreamReset, await proxy.EndReasonAsync(i));
        }

        Assert.Equal(3, rude.Count);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task MaxAttempts_MoreAreDead_EndsAfterSoManyAndEveryDialIsRecorded(EngineKind engine)
    {
        await using var alive = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(
            Pool(engine, [ScriptedUpstream.Nobody(), ScriptedUpstream.Nobody(), alive.EndPoint], c => c with { LoadBalancingPolicy = "FirstAlphabetical", MaxAttempts = 2 }));

        using (await proxy.TryConnectAsync())
        {
            Assert.Equal(SessionEndReason.ConnectRefused, await proxy.EndReasonAsync());
        }

        Assert.Equal(0, alive.Count);
        Assert.Equal(2, proxy.Log.Events.Count(e => e.Message.Contains("failed: Refused", StringComparison.Ordinal)));

        // Both are out now, so the third is the first to be dialled.
        using var second = await proxy.ConnectAsync();
        await second.SendAllAsync(new byte[] { 7 });
        Assert.Equal([7], await second.ReceiveExactlyAsync(1));
    }

    /// <summary>kill -9 under load: whoever connects afterwards is served by the other one, and no session ever ends for want of a destination.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task OneOfTwoIsKilledUnderLoad_NoClientConnectionFails(EngineKind engine)
    {
        await using var first = ChildProcess.Start("python3", ["-u", "-c", Greeter, "a"]);
        await using var second = ChildProcess.Start("python3", ["-u", "-c", Greeter, "b"]);
        await using var proxy = await ProxyEnvironment.StartAsync(Pool(engine, [await PortOfAsync(first), await PortOfAsync(second)]));
        var killed = false;
        var sessions = new List<Task<(bool AfterKill, string Answer)>>();
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(5));

        for (var i = 0; i < 400; i++)
        {
            await pace.WaitForNextTickAsync();
            if (i == 200)
            {
                // A slow machine may be behind by more sessions than may be cut.
                while (sessions.Where(session => !session.IsCompleted).ToList() is { Count: > 2 } open)
                {
                    await Task.WhenAny(open).WaitAsync(Wait.Limit);
                }

                first.Signal(9);
                await first.WaitForResultAsync(Wait.Limit);
                killed = true;
            }

            sessions.Add(AskAsync(killed));
        }

        var answers = await Task.WhenAll(sessions).WaitAsync(Wait.Limit);
        Assert.All(answers.Where(answer => answer.AfterKill), answer => Assert.Equal("b", answer.Answer));
        Assert.Contains(answers, answer => answer.Answer == "a");

        // Only sessions that had reached the process when it died can have been cut by that.
        Assert.InRange(answers.Count(answer => answer.Answer.Length == 0), 0, 2);
        Assert.DoesNotContain(proxy.Sessions, session => session.EndReason
            is SessionEndReason.NoDestination or SessionEndReason.ConnectRefused or SessionEndReason.ConnectTimeout);

        async Task<(bool AfterKill, string Answer)> AskAsync(bool isAfterKill)
        {
            using var client = await proxy.ConnectAsync();
            try
            {
                return (isAfterKill, System.Text.Encoding.ASCII.GetString(await client.ReceiveToEndAsync()));
            }
            catch (SocketException)
            {
                return (isAfterKill, "");
            }
        }

        static async Task<IPEndPoint> PortOfAsync(ChildProcess process)
        {
            var line = await process.Output.WaitForAsync(text => int.TryParse(text, out _), Wait.Limit);
            return new IPEndPoint(IPAddress.Loopback, int.Parse(line!, System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    private static StreamProxyConfig Pool(EngineKind engine, IPEndPoint[] destinations, Func<ClusterConfig, ClusterConfig>? cluster = null)
    {
        var members = destinations.Select((d, i) => (d, i)).ToDictionary(p => $"d{p.i}", p => new DestinationConfig { Address = p.d.ToString() });
        return ProxyEnvironment.OneRoute(engine, destinations[0]) with
        {
            Clusters = new Dictionary<string, ClusterConfig> { ["c"] = (cluster ?? (c => c))(new ClusterConfig { Destinations = members }) },
        };
    }
}
