using System.Net.Sockets;
using KestrelStream.Configuration;
using KestrelStream.Management;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.FunctionalTests.Management;

/// <summary>Reload, listeners that come and go, drain.</summary>
public sealed class ReloadTests
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task TwoHundredReloadsUnderLoad_NoConnectionFailsAndNoSessionIsLost(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = ProxyEnvironment.OneRoute(engine, upstream.EndPoint);
        await using var proxy = await ProxyEnvironment.StartAsync(config);
        using var stop = new CancellationTokenSource();

        var kept = new List<Socket>();
        for (var i = 0; i < 20; i++)
        {
            kept.Add(await proxy.ConnectAsync());
        }

        var done = 0;
        var load = Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                using var client = await proxy.ConnectAsync();
                await client.SendAllAsync(new byte[] { 1, 2, 3 });
                client.Shutdown(SocketShutdown.Send);
                Assert.Equal([1, 2, 3], await client.ReceiveToEndAsync());
                Interlocked.Increment(ref done);
            }
        })).ToArray();

        for (var i = 0; i < 200; i++)
        {
            var extra = new Dictionary<string, RouteConfig>(config.Routes) { [$"r{i}"] = new() { Match = new RouteMatch { Sni = [$"n{i}.example.com"] }, ClusterId = "c", Listeners = ["other"] } };
            var result = await proxy.ReloadAsync(config with
            {
                Routes = i % 2 == 0 ? extra : config.Routes,
                Listeners = i % 2 == 0 ? new Dictionary<string, ListenerConfig>(config.Listeners) { ["other"] = new() { Address = "127.0.0.1:0" } } : config.Listeners,
            });
            Assert.True(result.IsApplied, string.Join('\n', result.Errors));
        }

        await stop.CancelAsync();
        await Task.WhenAll(load).WaitAsync(Wait.Limit);
        Assert.True(done > 100);
        foreach (var client in kept)
        {
            await client.SendAllAsync(new byte[] { 9 });
            Assert.Equal([9], await client.ReceiveExactlyAsync(1));
            client.Dispose();
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task RemovedListener_RefusesNewAndKeepsRunningSessions(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = ProxyEnvironment.OneRoute(engine, upstream.EndPoint);
        var two = config with { Listeners = new Dictionary<string, ListenerConfig>(config.Listeners) { ["second"] = new() { Address = "127.0.0.1:0" } } };
        await using var proxy = await ProxyEnvironment.StartAsync(two);
        using var running = await proxy.ConnectAsync("second");
        await running.SendAllAsync(new byte[] { 1 });
        await running.ReceiveExactlyAsync(1);
        var endPoint = proxy.EndPoint("second");

        Assert.True((await proxy.ReloadAsync(config)).IsApplied);

        using var refused = new Socket(SocketType.Stream, ProtocolType.Tcp);
        var error = await Assert.ThrowsAsync<SocketException>(async () => await refused.ConnectAsync(endPoint));
        Assert.Equal(SocketError.ConnectionRefused, error.SocketErrorCode);

        // Kestrel itself cuts the connections of a removed endpoint after five seconds.
        await Task.Delay(TimeSpan.FromSeconds(6));
        await running.SendAllAsync(new byte[] { 2 });
        Assert.Equal([2], await running.ReceiveExactlyAsync(1));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task InvalidConfiguration_ChangesNothing(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = ProxyEnvironment.OneRoute(engine, upstream.EndPoint);
        await using var proxy = await ProxyEnvironment.StartAsync(config);
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        taken.Listen();

        var badReference = await proxy.ReloadAsync(config with { Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { ClusterId = "nowhere" } } });
        var portInUse = await proxy.ReloadAsync(config with
        {
            Listeners = new Dictionary<string, ListenerConfig>(config.Listeners) { ["more"] = new() { Address = taken.LocalEndPoint!.ToString()! } },
        });

        Assert.Equal("StreamProxy:Routes:all:ClusterId", Assert.Single(badReference.Errors).Path);
        Assert.Equal("StreamProxy:Listeners:more:Address", Assert.Single(portInUse.Errors).Path);
        Assert.Equal(1, proxy.Proxy.Generation);
        using var client = await proxy.ConnectAsync();
        await client.SendAllAsync(new byte[] { 1 });
        Assert.Equal([1], await client.ReceiveExactlyAsync(1));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task PortInUse_StartNamesListenerAndAddress(EngineKind engine)
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        taken.Listen();
        var config = ProxyEnvironment.OneRoute(engine, taken.LocalEndPoint!) with
        {
            Listeners = new Dictionary<string, ListenerConfig> { ["public"] = new() { Address = taken.LocalEndPoint!.ToString()! } },
        };

        var error = await Assert.ThrowsAsync<ListenerBindException>(() => ProxyEnvironment.StartAsync(config));

        Assert.Equal(("public", taken.LocalEndPoint!.ToString()), (error.Listener, error.Address));
        Assert.Contains("already in use", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Drain_LetsSessionsFinish_ThenCutsTheRest(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = ProxyEnvironment.OneRoute(engine, upstream.EndPoint) with { ShutdownTimeout = TimeSpan.FromSeconds(3) };
        await using var proxy = await ProxyEnvironment.StartAsync(config);
        var endPoint = proxy.EndPoint();
        using var finishing = await ConnectAndExchangeAsync(proxy);
        using var staying = await ConnectAndExchangeAsync(proxy);

        var stopping = proxy.StopAsync();
        await Wait.UntilAsync(() => proxy.Log.Events.Any(e => e.Message.StartsWith("Draining", StringComparison.Ordinal)), "the drain");
        using var late = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await Assert.ThrowsAsync<SocketException>(async () => await late.ConnectAsync(endPoint));
        await finishing.SendAllAsync(new byte[] { 1, 2 });
        finishing.Shutdown(SocketShutdown.Send);
        Assert.Equal([1, 2], await finishing.ReceiveToEndAsync());
        Assert.True(await staying.EndsWithResetAsync());
        await stopping.WaitAsync(Wait.Limit);
        Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync(0));
        Assert.Equal(SessionEndReason.DrainTimeout, await proxy.EndReasonAsync(1));
    }

    // One after the other: two connections that wait at once may be accepted by two loops in either order.
    private static async Task<Socket> ConnectAndExchangeAsync(ProxyEnvironment proxy)
    {
        var client = await proxy.ConnectAsync();
        await client.SendAllAsync(new byte[] { 1 });
        await client.ReceiveExactlyAsync(1);
        return client;
    }
}
