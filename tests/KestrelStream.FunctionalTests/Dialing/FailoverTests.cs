using System.Net;
using System.Net.Sockets;
using KestrelStream.Configuration;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.FunctionalTests.Dialing;

/// <summary>Dead destinations on real sockets.</summary>
public sealed class FailoverTests
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task FirstDestinationRefuses_NextOneAnswers_AndTheDeadOneIsLeftAlone(EngineKind engine)
    {
        await using var alive = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(Pool(engine, [ScriptedUpstream.Nobody(), alive.EndPoint]));

        for (var i = 0; i < 20; i++)
        {
            using var client = await proxy.ConnectAsync();
            await client.SendAllAsync(new byte[] { 7 });
            Assert.Equal([7], await client.ReceiveExactlyAsync(1));
        }

        Assert.Equal(20, alive.Count);
        Assert.Single(proxy.Log.Events, e => e.Message.Contains("failed: Refused", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task EveryDestinationRefuses_ClientIsReset(EngineKind engine)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(Pool(engine, [ScriptedUpstream.Nobody(), ScriptedUpstream.Nobody()]));

        Assert.True(await IsResetAsync(proxy));
        Assert.Equal(SessionEndReason.ConnectRefused, await proxy.EndReasonAsync());

        // Both are out now: nobody is left to dial.
        Assert.True(await IsResetAsync(proxy));
        Assert.Equal(SessionEndReason.NoDestination, await proxy.EndReasonAsync(1));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task DestinationThatDoesNotAnswer_TimesOutAndTheNextOneIsDialled(EngineKind engine)
    {
        // A full backlog drops SYNs: the kernel answers nothing at all.
        using var deaf = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        deaf.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        deaf.Listen(0);
        var fillers = new List<Socket>();
        for (var i = 0; i < 4; i++)
        {
            var filler = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            fillers.Add(filler);
            try
            {
                filler.Connect(deaf.LocalEndPoint!);
            }
            catch (SocketException)
            {
                // In progress for ever.
            }
        }

        try
        {
            await using var alive = ScriptedUpstream.Echo();
            await using var proxy = await ProxyEnvironment.StartAsync(
                Pool(engine, [(IPEndPoint)deaf.LocalEndPoint!, alive.EndPoint], c => c with { ConnectTimeout = TimeSpan.FromMilliseconds(500) }));
            using var client = await proxy.ConnectAsync();
            await client.SendAllAsync(new byte[] { 7 });
            Assert.Equal([7], await client.ReceiveExactlyAsync(1));

            await using var lonely = await ProxyEnvironment.StartAsync(
                Pool(engine, [(IPEndPoint)deaf.LocalEndPoint!], c => c with { ConnectTimeout = TimeSpan.FromMilliseconds(500) }));
            Assert.True(await IsResetAsync(lonely));
            Assert.Equal(SessionEndReason.ConnectTimeout, await lonely.EndReasonAsync());
        }
        finally
        {
            fillers.ForEach(f => f.Dispose());
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task NameThatDoesNotResolve_StopsNothingElse(EngineKind engine)
    {
        await using var alive = ScriptedUpstream.Echo();
        var config = Pool(engine, [alive.EndPoint]);
        var destinations = new Dictionary<string, DestinationConfig>(config.Clusters["c"].Destinations)
        {
            ["0-nowhere"] = new() { Address = "no-such-host.invalid:443" },
        };
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Clusters = new Dictionary<string, ClusterConfig> { ["c"] = config.Clusters["c"] with { Destinations = destinations, ConnectTimeout = TimeSpan.FromSeconds(20) } },
        });

        for (var i = 0; i < 4; i++)
        {
            using var client = await proxy.ConnectAsync();
            await client.SendAllAsync(new byte[] { 7 });
            Assert.Equal([7], await client.ReceiveExactlyAsync(1));
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task BackupDestination_TakesOverAndGivesBack(EngineKind engine)
    {
        await using var backup = new ScriptedUpstream(s => s.SendAllAsync("backup"u8.ToArray()));
        await using var primary = new ScriptedUpstream(s => s.SendAllAsync("primary"u8.ToArray()));
        var config = Pool(engine, [primary.EndPoint, backup.EndPoint]);
        var destinations = config.Clusters["c"].Destinations;
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Clusters = new Dictionary<string, ClusterConfig>
            {
                ["c"] = config.Clusters["c"] with
                {
                    Destinations = new Dictionary<string, DestinationConfig> { ["d0"] = destinations["d0"] with { MaxConnections = 1 }, ["d1"] = destinations["d1"] with { Backup = true } },
                },
            },
        });

        using var first = await proxy.ConnectAsync();
        Assert.Equal("primary"u8.ToArray(), await first.ReceiveToEndAsync());

        // The first session is half-closed and still there: the primary is full.
        using var second = await proxy.ConnectAsync();
        Assert.Equal("backup"u8.ToArray(), await second.ReceiveToEndAsync());

        first.Dispose();
        await proxy.EndReasonAsync();
        using var third = await proxy.ConnectAsync();
        Assert.Equal("primary"u8.ToArray(), await third.ReceiveToEndAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task UnixSocketDestinationAndListener_Work(EngineKind engine)
    {
        using var folder = new TempFolder();
        var path = Path.Combine(folder.Path, "up.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        var serve = Task.Run(async () =>
        {
            using var accepted = await listener.AcceptAsync();
            await accepted.SendAllAsync(await accepted.ReceiveToEndAsync());
        });
        var config = Pool(engine, [new IPEndPoint(IPAddress.Loopback, 1)]);
        var front = Path.Combine(folder.Path, "front.sock");
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            AccessLog = new AccessLogConfig { Path = folder["access.log"] },
            Listeners = new Dictionary<string, ListenerConfig> { ["public"] = new() { Address = "unix:" + front } },
            Clusters = new Dictionary<string, ClusterConfig>
            {
                ["c"] = new() { LoadBalancingPolicy = "ConsistentHash", Destinations = new Dictionary<string, DestinationConfig> { ["d"] = new() { Address = "unix:" + path } } },
            },
        });
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await client.ConnectAsync(new UnixDomainSocketEndPoint(front));

        await client.SendAllAsync(new byte[] { 1, 2, 3 });
        client.Shutdown(SocketShutdown.Send);

        Assert.Equal([1, 2, 3], await client.ReceiveToEndAsync());
        await serve.WaitAsync(Wait.Limit);
        Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync());

        // The client has an address without a path, which everything that asks for it gets.
        await Wait.UntilAsync(() => File.Exists(folder["access.log"]) && File.ReadAllText(folder["access.log"]).Contains("\"client\":\"unix:\"", StringComparison.Ordinal), "the record");
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task IPv6AndLocalhostAndAnyAddress_Work(EngineKind engine)
    {
        await using var upstream = new ScriptedUpstream(s => s.SendAllAsync("six"u8.ToArray()), IPAddress.IPv6Loopback);
        var config = Pool(engine, [upstream.EndPoint]);
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Listeners = new Dictionary<string, ListenerConfig>
            {
                ["six"] = new() { Address = "[::1]:0" },
                ["local"] = new() { Address = "localhost:0" },
                ["any"] = new() { Address = "*:0" },
            },
        });

        foreach (var (id, address) in new[] { ("six", IPAddress.IPv6Loopback), ("local", IPAddress.IPv6Loopback), ("local", IPAddress.Loopback), ("any", IPAddress.Loopback), ("any", IPAddress.IPv6Loopback) })
        {
            using var client = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            await client.ConnectAsync(new IPEndPoint(address, proxy.EndPoint(id).Port));
            Assert.Equal("six"u8.ToArray(), await client.ReceiveToEndAsync());
        }
    }

    /// <summary>The reset may overtake the client's own connect.</summary>
    private static async Task<bool> IsResetAsync(ProxyEnvironment proxy)
    {
        try
        {
            using var client = await proxy.ConnectAsync();
            return await client.EndsWithResetAsync();
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return true;
        }
    }

    private static StreamProxyConfig Pool(EngineKind engine, IPEndPoint[] destinations, Func<ClusterConfig, ClusterConfig>? cluster = null)
    {
        var config = ProxyEnvironment.OneRoute(engine, destinations[0]);
        var members = destinations.Select((d, i) => (d, i)).ToDictionary(p => $"d{p.i}", p => new DestinationConfig { Address = p.d.ToString() });
        return config with
        {
            Clusters = new Dictionary<string, ClusterConfig> { ["c"] = (cluster ?? (c => c))(new ClusterConfig { Destinations = members }) },
        };
    }
}
