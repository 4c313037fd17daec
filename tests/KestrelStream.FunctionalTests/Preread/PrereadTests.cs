using System.Net.Sockets;
using KestrelStream.Configuration;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelStream.FunctionalTests.Preread;

/// <summary>First bytes on real sockets: drips, silence, lies, and what the client is told.</summary>
public sealed class PrereadTests
{
    private const byte UnrecognizedName = 112;
    private const byte HandshakeFailure = 40;
    private const byte UnexpectedMessage = 10;

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task HelloInSingleBytes_IsRoutedAndForwardedUntouched(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(TwoNames(engine, upstream));
        using var client = await proxy.ConnectAsync();
        var hello = ClientHelloBuilder.Browser("B.example.com").Build();

        foreach (var b in hello)
        {
            await client.SendAllAsync(new[] { b });
        }

        Assert.Equal(hello, await client.ReceiveExactlyAsync(hello.Length));
        client.Shutdown(SocketShutdown.Send);
        Assert.Empty(await client.ReceiveToEndAsync());
        Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync());
        var session = proxy.Sessions.Single();
        Assert.Equal(("b", "b.example.com", hello.Length, hello.Length), (session.Route, session.ServerName, session.BytesIn, session.BytesOut));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task HelloOverManyRecords_WithBytesBehindIt_AllForwarded(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(TwoNames(engine, upstream));
        using var client = await proxy.ConnectAsync();
        var message = ClientHelloBuilder.Browser("a.example.com").PaddedTo(9000).BuildMessage();
        var sent = ClientHelloBuilder.Frame(message, 1, 10, 100, 5000).Concat(new byte[] { 0x17, 3, 3, 0, 1, 7 }).ToArray();

        await client.SendAllAsync(sent);

        Assert.Equal(sent, await client.ReceiveExactlyAsync(sent.Length));
        Assert.Equal("a", proxy.Sessions.Single().Route);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task UnknownName_GetsUnrecognizedName(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(TwoNames(engine, upstream));
        using var client = await proxy.ConnectAsync();

        await client.SendAllAsync(ClientHelloBuilder.Browser("c.example.com").Build());

        Assert.Equal(Alert(UnrecognizedName), await client.ReceiveToEndAsync());
        client.Dispose();
        Assert.Equal(SessionEndReason.NoRoute, await proxy.EndReasonAsync());
        Assert.Equal(0, upstream.Count);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task MalformedHello_NeverReachesTheDefaultRoute(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = TwoNames(engine, upstream);
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Routes = new Dictionary<string, RouteConfig>(config.Routes) { ["rest"] = new() { ClusterId = "c" } },
        });
        using var client = await proxy.ConnectAsync();

        // An alert record in the middle of the hello.
        var hello = ClientHelloBuilder.Frame(ClientHelloBuilder.Browser("a.example.com").BuildMessage(), 50);
        byte[] bytes = [.. hello[..55], 0x15, 3, 1, 0, 2, 1, 0, .. hello[55..]];
        await client.SendAllAsync(bytes);

        Assert.Equal(Alert(UnexpectedMessage), await client.ReceiveToEndAsync());
        client.Dispose();
        Assert.Equal(SessionEndReason.PrereadMalformed, await proxy.EndReasonAsync());
        Assert.Equal(0, upstream.Count);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task LateHello_IsToldAndClosed(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(TwoNames(engine, upstream, l => l with { PrereadTimeout = TimeSpan.FromMilliseconds(500) }));
        using var silent = await proxy.ConnectAsync();
        using var slow = await proxy.ConnectAsync();
        await slow.SendAllAsync(ClientHelloBuilder.Browser("a.example.com").Build().AsMemory(0, 60));

        Assert.Empty(await silent.ReceiveToEndAsync());
        Assert.Equal(Alert(HandshakeFailure), await slow.ReceiveToEndAsync());
        slow.Dispose();
        Assert.Equal(SessionEndReason.PrereadTimeout, await proxy.EndReasonAsync(0));
        Assert.Equal(SessionEndReason.PrereadTimeout, await proxy.EndReasonAsync(1));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task HelloLongerThanTheBuffer_IsRefused(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(TwoNames(engine, upstream, l => l with { PrereadBufferBytes = 2048 }));
        using var client = await proxy.ConnectAsync();

        await client.SendAllAsync(ClientHelloBuilder.Browser("a.example.com").PaddedTo(4000).Build());

        var alert = await client.ReceiveToEndAsync();
        Assert.Equal(7, alert.Length);
        Assert.Equal([0x15, 3, 3, 0, 2, 2], alert[..6]);
        client.Dispose();
        Assert.Equal(SessionEndReason.PrereadTooLarge, await proxy.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task BytesThatAreNotTls_TakeTheRouteWithoutTlsConditionsAtOnce(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = TwoNames(engine, upstream);
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Routes = new Dictionary<string, RouteConfig>(config.Routes) { ["rest"] = new() { ClusterId = "c" } },
        });
        using var client = await proxy.ConnectAsync();

        await client.SendAllAsync("S"u8.ToArray());
        Assert.Equal("S"u8.ToArray(), await client.ReceiveExactlyAsync(1));
        Assert.Equal("rest", proxy.Sessions.Single().Route);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Silence_TakesTheServerFirstRoute_AndBytesAfterItArrive(EngineKind engine)
    {
        await using var greeter = new ScriptedUpstream(async socket =>
        {
            await socket.SendAllAsync("220 ready\r\n"u8.ToArray());
            await socket.SendAllAsync(await socket.ReceiveExactlyAsync(4));
            await socket.ReceiveToEndAsync();
        });
        await using var upstream = ScriptedUpstream.Echo();
        var config = TwoNames(engine, upstream, l => l with { ServerFirstAfter = TimeSpan.FromMilliseconds(200) });
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Routes = new Dictionary<string, RouteConfig>(config.Routes)
            {
                ["greeter"] = new() { Match = new RouteMatch { Protocols = [ClientProtocol.ServerFirst] }, ClusterId = "greeter" },
            },
            Clusters = new Dictionary<string, ClusterConfig>(config.Clusters)
            {
                ["greeter"] = new() { Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = greeter.EndPoint.ToString() } } },
            },
        });
        using var client = await proxy.ConnectAsync();

        Assert.Equal("220 ready\r\n"u8.ToArray(), await client.ReceiveExactlyAsync(11));
        await client.SendAllAsync("QUIT"u8.ToArray());
        Assert.Equal("QUIT"u8.ToArray(), await client.ReceiveExactlyAsync(4));

        using var hello = await proxy.ConnectAsync();
        var bytes = ClientHelloBuilder.Browser("a.example.com").Build();
        await hello.SendAllAsync(bytes);
        Assert.Equal(bytes, await hello.ReceiveExactlyAsync(bytes.Length));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task ListenerThatNeedsNoBytes_DoesNotPreread(EngineKind engine)
    {
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            await socket.SendAllAsync("hello from the server"u8.ToArray());
            await socket.ReceiveToEndAsync();
        });
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyEnvironment.OneRoute(engine, upstream.EndPoint));
        using var client = await proxy.ConnectAsync();

        Assert.Equal("hello from the server"u8.ToArray(), await client.ReceiveExactlyAsync(21));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task ListenerAboveMaxConnections_ClosesTheNextOne(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = ProxyEnvironment.OneRoute(engine, upstream.EndPoint);
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Listeners = new Dictionary<string, ListenerConfig> { ["public"] = new() { Address = "127.0.0.1:0", MaxConnections = 1 } },
        });
        using var first = await proxy.ConnectAsync();
        await first.SendAllAsync(new byte[1]);
        await first.ReceiveExactlyAsync(1);

        using var second = await proxy.ConnectAsync();
        Assert.Empty(await second.ReceiveToEndAsync());

        first.Dispose();
        await proxy.EndReasonAsync();
        using var third = await proxy.ConnectAsync();
        await third.SendAllAsync(new byte[1]);
        Assert.Single(await third.ReceiveExactlyAsync(1));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task PipelineStep_SeesBytesAndLeavesThem(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var seen = new TaskCompletionSource<int>();
        await using var proxy = await ProxyEnvironment.StartAsync(
            TwoNames(engine, upstream),
            build: builder => builder.ConfigurePipeline(steps => steps.Use(next => async connection =>
            {
                var read = await connection.Transport.Input.ReadAsync();
                seen.TrySetResult((int)read.Buffer.Length);
                connection.Transport.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                await next(connection);
            })));
        using var client = await proxy.ConnectAsync();
        var hello = ClientHelloBuilder.Browser("a.example.com").Build();

        await client.SendAllAsync(hello.AsMemory(0, 100));
        Assert.Equal(100, await seen.Task.WaitAsync(Wait.Limit));
        await client.SendAllAsync(hello.AsMemory(100));

        Assert.Equal(hello, await client.ReceiveExactlyAsync(hello.Length));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task PipelineStep_ThatDoesNotCallNext_RefusesTheClient(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(
            TwoNames(engine, upstream),
            build: builder => builder.ConfigurePipeline(steps => steps.Use(_ => _ => Task.CompletedTask)));
        using var client = await proxy.ConnectAsync();

        Assert.Empty(await client.ReceiveToEndAsync());
        Assert.Equal(SessionEndReason.AccessDenied, await proxy.EndReasonAsync());
    }

    private static byte[] Alert(byte description) => [0x15, 3, 3, 0, 2, 2, description];

    private static StreamProxyConfig TwoNames(EngineKind engine, ScriptedUpstream upstream, Func<ListenerConfig, ListenerConfig>? listener = null)
    {
        var one = ProxyEnvironment.OneRoute(engine, upstream.EndPoint);
        return one with
        {
            Listeners = new Dictionary<string, ListenerConfig> { ["public"] = (listener ?? (l => l))(one.Listeners["public"]) },
            Routes = new Dictionary<string, RouteConfig>
            {
                ["a"] = new() { Match = new RouteMatch { Sni = ["a.example.com"] }, ClusterId = "c" },
                ["b"] = new() { Match = new RouteMatch { Sni = ["b.example.com"] }, ClusterId = "c" },
            },
        };
    }
}
