using System.Net;
using System.Net.Sockets;
using KestrelStream.Configuration;
using KestrelStream.Dialing.Warm;
using KestrelStream.Management;
using KestrelStream.Model;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelStream.FunctionalTests.Dialing;

/// <summary>Connections that are made before sessions need them.</summary>
public sealed class WarmConnectionTests
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Session_TakesOne_AndItIsReplaced(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, upstream, 3));
        await UntilWarmAsync(proxy, 3);

        for (var i = 0; i < 20; i++)
        {
            await UntilWarmAsync(proxy, 3);
            using var client = await proxy.ConnectAsync();
            var bytes = new byte[100_000];
            Random.Shared.NextBytes(bytes);
            var send = client.SendAllAsync(bytes);
            Assert.Equal(bytes, await client.ReceiveExactlyAsync(bytes.Length));
            await send;
            client.Shutdown(SocketShutdown.Send);
            Assert.Empty(await client.ReceiveToEndAsync());
            Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync(i));
        }

        await UntilWarmAsync(proxy, 3);
        Assert.Equal(20, Pool(proxy).Hits);
        Assert.Equal(0, Pool(proxy).Misses);
        Assert.Equal(23, upstream.Count);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Hello_IsSentOnce(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = Config(engine, upstream, 1);
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Routes = new Dictionary<string, RouteConfig> { ["a"] = new() { ClusterId = "c", Match = new RouteMatch { Sni = ["a.example.com"] } } },
        });
        await UntilWarmAsync(proxy, 1);
        using var client = await proxy.ConnectAsync();
        var hello = ClientHelloBuilder.Browser("a.example.com").Build();

        await client.SendAllAsync(hello);
        client.Shutdown(SocketShutdown.Send);

        Assert.Equal(hello, await client.ReceiveToEndAsync());
        Assert.Equal(1, Pool(proxy).Hits);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task ServerHangsUp_SessionsDoNotNotice(EngineKind engine)
    {
        // The first three hang up when they are told to; whoever comes later is served.
        using var hangUp = new CancellationTokenSource();
        var count = 0;
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            if (Interlocked.Increment(ref count) <= 3)
            {
                await Task.Delay(Timeout.Infinite, hangUp.Token).ContinueWith(_ => { }, TaskScheduler.Default);
                return;
            }

            var buffer = new byte[1];
            while (await socket.ReceiveAsync(buffer) > 0)
            {
                await socket.SendAllAsync(buffer);
            }
        });
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, upstream, 3));
        await UntilWarmAsync(proxy, 3);
        await Wait.UntilAsync(() => upstream.Count == 3, "three connections");

        await hangUp.CancelAsync();
        await Wait.UntilAsync(() => upstream.Count - upstream.Active >= 3, "the first three to be closed");
        for (var i = 0; i < 10; i++)
        {
            using var client = await proxy.ConnectAsync();
            await client.SendAllAsync(new byte[] { 9 });
            Assert.Equal([9], await client.ReceiveExactlyAsync(1));
        }

        Assert.Equal(0, Member(proxy).DialFailures);
        await UntilWarmAsync(proxy, 3);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task ServerSpeaksFirst_IsSaidOnce_AndEveryoneGetsTheirOwnGreeting(EngineKind engine)
    {
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            await socket.SendAllAsync("220 hello\r\n"u8.ToArray());
            await socket.ReceiveToEndAsync();
        });
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, upstream, 2));
        await Wait.UntilAsync(() => Pool(proxy).IsUnsuitable, "the greeting");

        for (var i = 0; i < 3; i++)
        {
            using var client = await proxy.ConnectAsync();
            Assert.Equal("220 hello\r\n"u8.ToArray(), await client.ReceiveExactlyAsync(11));
        }

        Assert.Equal(0, Pool(proxy).Count);
        Assert.Single(proxy.Log.Events, e => e.Level == LogLevel.Warning && e.Message.Contains("speaks before its clients", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Reload_ChangesHowManyAreKept(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, upstream, 2));
        await UntilWarmAsync(proxy, 2);

        Assert.True((await proxy.ReloadAsync(Config(engine, upstream, 5))).IsApplied);
        await UntilWarmAsync(proxy, 5);
        Assert.True((await proxy.ReloadAsync(Config(engine, upstream, 1))).IsApplied);
        await UntilWarmAsync(proxy, 1);
        Assert.True((await proxy.ReloadAsync(Config(engine, upstream, 0))).IsApplied);

        Assert.Null(Member(proxy).Warm);
        await Wait.UntilAsync(() => upstream.Active == 0, "the server to see all of them closed");
        using var client = await proxy.ConnectAsync();
        await client.SendAllAsync(new byte[] { 9 });
        Assert.Equal([9], await client.ReceiveExactlyAsync(1));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task TakenAndClosedFromAllSides_NothingIsMixedUpOrLost(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, upstream, 4));
        await Task.WhenAll(Enumerable.Range(0, 16).Select(client => Task.Run(async () =>
        {
            for (var i = 0; i < 50; i++)
            {
                using var socket = await proxy.ConnectAsync();
                var bytes = BitConverter.GetBytes((client * 1000) + i);
                await socket.SendAllAsync(bytes);
                Assert.Equal(bytes, await socket.ReceiveExactlyAsync(4));
                if (i % 3 == 0)
                {
                    socket.Reset();
                }
            }
        }))).WaitAsync(Wait.Limit * 2);

        await UntilWarmAsync(proxy, 4);
        Assert.Equal(800, Pool(proxy).Hits + Pool(proxy).Misses);
        await proxy.StopAsync();
        await Wait.UntilAsync(() => upstream.Active == 0, "the server to see all of them closed");
        Assert.Equal(0, proxy.Services.GetRequiredService<KestrelStream.Transport.DescriptorBudget>().Sessions);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task NobodyListens_NoneIsKept_AndTheyAreTriedAgain(EngineKind engine)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, listener.LocalEndPoint!, 2));
        await Wait.UntilAsync(() => proxy.Log.Events.Any(e => e.Message.Contains("could not be made ahead", StringComparison.Ordinal)), "a failed dial");

        listener.Listen();

        await UntilWarmAsync(proxy, 2);
    }

    private static StreamProxyConfig Config(EngineKind engine, ScriptedUpstream upstream, int warm) => Config(engine, upstream.EndPoint, warm);

    private static StreamProxyConfig Config(EngineKind engine, EndPoint upstream, int warm)
    {
        var config = ProxyEnvironment.OneRoute(engine, upstream);
        return config with { Clusters = new Dictionary<string, ClusterConfig> { ["c"] = config.Clusters["c"] with { WarmConnections = warm } } };
    }

    private static DestinationState Member(ProxyEnvironment proxy)
        => proxy.Services.GetRequiredService<IProxyState>().Current!.Clusters["c"].Model.Destinations[0];

    private static WarmPool Pool(ProxyEnvironment proxy) => Member(proxy).Warm!;

    private static Task UntilWarmAsync(ProxyEnvironment proxy, int count)
        => Wait.UntilAsync(() => Member(proxy).Warm?.Count == count, $"{count} connections");
}
