using System.Net.Sockets;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelStream.FunctionalTests.Dialing;

/// <summary>Sessions that wait for a destination with room, on real sockets.</summary>
public sealed class QueueTests
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task DestinationFull_NextClientsAreServedInTheirOrder(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(Pool(engine, upstream));
        var clients = new List<Socket>();
        try
        {
            for (var i = 0; i < 4; i++)
            {
                clients.Add(await proxy.ConnectAsync());
                await clients[i].SendAllAsync(new[] { (byte)i });
                var waiting = i;
                await Wait.UntilAsync(() => i == 0 ? upstream.Count == 1 : QueueLength(proxy) == waiting, "the client has its place");
            }

            Assert.Equal(1, upstream.Count);
            for (var i = 0; i < 4; i++)
            {
                // What was sent before the turn came arrives once.
                Assert.Equal([(byte)i], await clients[i].ReceiveExactlyAsync(1));
                Assert.Equal(i + 1, upstream.Count);
                clients[i].Shutdown(SocketShutdown.Send);
                Assert.Empty(await clients[i].ReceiveToEndAsync());
                Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync(i));
            }

            Assert.Equal(0, QueueLength(proxy));
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task QueueFull_ClientIsReset(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(Pool(engine, upstream, new QueueConfig { MaxLength = 1 }));
        using var running = await RunAsync(proxy);
        using var waiting = await proxy.ConnectAsync();
        await Wait.UntilAsync(() => QueueLength(proxy) == 1, "one waits");

        using var third = await proxy.TryConnectAsync();

        Assert.Equal(SessionEndReason.QueueFull, await proxy.EndReasonAsync(2));
        Assert.Equal(1, QueueLength(proxy));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task WaitTooLong_EndsAsQueueTimeout(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(Pool(engine, upstream, new QueueConfig { MaxLength = 5, Timeout = TimeSpan.FromMilliseconds(400) }));
        using var running = await RunAsync(proxy);

        using var client = await proxy.ConnectAsync();
        await client.SendAllAsync(new byte[] { 1 });

        Assert.Equal(SessionEndReason.QueueTimeout, await proxy.EndReasonAsync(1));
        Assert.True(await client.EndsWithResetAsync());
        Assert.Equal(0, QueueLength(proxy));
        Assert.Equal(1, upstream.Count);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task ClientLeaves_LeavesTheQueueAndTheNextOneIsServed(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(Pool(engine, upstream));
        var running = await RunAsync(proxy);
        var closing = await proxy.ConnectAsync();
        await Wait.UntilAsync(() => QueueLength(proxy) == 1, "one waits");
        var resetting = await proxy.ConnectAsync();
        await Wait.UntilAsync(() => QueueLength(proxy) == 2, "two wait");
        using var staying = await proxy.ConnectAsync();
        await Wait.UntilAsync(() => QueueLength(proxy) == 3, "three wait");

        closing.Dispose();
        resetting.Reset();

        Assert.Equal(SessionEndReason.ClientGone, await proxy.EndReasonAsync(1));
        Assert.Equal(SessionEndReason.ClientGone, await proxy.EndReasonAsync(2));
        Assert.Equal(1, QueueLength(proxy));
        running.Dispose();
        await staying.SendAllAsync(new byte[] { 5 });
        Assert.Equal([5], await staying.ReceiveExactlyAsync(1));
        Assert.Equal(2, upstream.Count);
    }

    /// <summary>It has sent its whole request, and waits for the answer.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task ClientHasEndedItsSending_KeepsItsPlace(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(Pool(engine, upstream));
        var running = await RunAsync(proxy);
        using var client = await proxy.ConnectAsync();
        await client.SendAllAsync(new byte[] { 1, 2, 3 });
        client.Shutdown(SocketShutdown.Send);
        await Wait.UntilAsync(() => QueueLength(proxy) == 1, "it waits");
        // Longer than the proxy takes to notice that a client is gone.
        await Task.Delay(700);

        running.Dispose();

        Assert.Equal([1, 2, 3], await client.ReceiveToEndAsync());
        Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync(1));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Reload_LimitRaised_ServesThoseWhoWait(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(Pool(engine, upstream));
        using var running = await RunAsync(proxy);
        using var client = await proxy.ConnectAsync();
        await client.SendAllAsync(new byte[] { 6 });
        await Wait.UntilAsync(() => QueueLength(proxy) == 1, "it waits");

        Assert.True((await proxy.ReloadAsync(Pool(engine, upstream, maxConnections: 2))).IsApplied);

        Assert.Equal([6], await client.ReceiveExactlyAsync(1));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Stop_SessionsWait_TheyEndWithTheDrain(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(Pool(engine, upstream) with { ShutdownTimeout = TimeSpan.FromMilliseconds(300) });
        using var running = await RunAsync(proxy);
        using var client = await proxy.ConnectAsync();
        await Wait.UntilAsync(() => QueueLength(proxy) == 1, "it waits");

        await proxy.StopAsync().WaitAsync(Wait.Limit);

        Assert.Equal(SessionEndReason.DrainTimeout, await proxy.EndReasonAsync());
        Assert.Equal(SessionEndReason.DrainTimeout, await proxy.EndReasonAsync(1));
    }

    private static StreamProxyConfig Pool(EngineKind engine, ScriptedUpstream upstream, QueueConfig? queue = null, int maxConnections = 1)
        => ProxyEnvironment.OneRoute(engine, upstream.EndPoint) with
        {
            Clusters = new Dictionary<string, ClusterConfig>
            {
                ["c"] = new()
                {
                    Queue = queue ?? new QueueConfig { MaxLength = 10, Timeout = TimeSpan.FromMinutes(1) },
                    Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = upstream.EndPoint.ToString(), MaxConnections = maxConnections } },
                },
            },
        };

    /// <summary>A session that has the only slot.</summary>
    private static async Task<Socket> RunAsync(ProxyEnvironment proxy)
    {
        var client = await proxy.ConnectAsync();
        await client.SendAllAsync(new byte[] { 1 });
        Assert.Equal([1], await client.ReceiveExactlyAsync(1));
        return client;
    }

    private static long QueueLength(ProxyEnvironment proxy)
    {
        var (_, read) = proxy.Services.GetRequiredService<StreamProxyMetrics>().Readings.Single(reading => reading.Family.Name == "kestrelstream.queue.length");
        return Assert.Single(read()).Value;
    }
}
