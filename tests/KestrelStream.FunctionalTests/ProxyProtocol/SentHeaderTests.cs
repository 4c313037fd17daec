using System.Net;
using System.Net.Sockets;
using KestrelStream.Configuration;
using KestrelStream.Model;
using KestrelStream.ProxyProtocol;
using KestrelStream.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelStream.FunctionalTests.ProxyProtocol;

/// <summary>Headers that destinations get: once a connection, before everything else, in the same send as the first bytes.</summary>
public sealed class SentHeaderTests
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task V1_ServerSpeaksFirst_GetsTheHeaderWithoutAWordOfTheClient(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyPool.Sending(ProxyEnvironment.OneRoute(engine, upstream.EndPoint), ProxyProtocolVersion.V1));
        using var client = await proxy.ConnectAsync();
        var expected = $"PROXY TCP4 127.0.0.1 127.0.0.1 {((IPEndPoint)client.LocalEndPoint!).Port} {proxy.EndPoint().Port}\r\n";

        Assert.Equal(expected, System.Text.Encoding.ASCII.GetString(await client.ReceiveExactlyAsync(expected.Length)));

        await client.SendAllAsync("x"u8.ToArray());
        Assert.Equal("x"u8.ToArray(), await client.ReceiveExactlyAsync(1));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task V2_WithPreread_IsOneSegmentWithTheHello(EngineKind engine)
    {
        var firstReceive = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            var buffer = new byte[4096];
            firstReceive.TrySetResult(buffer[..await socket.ReceiveAsync(buffer)]);
        });
        var config = ProxyPool.Sending(
            ProxyPool.ByName(ProxyPool.Receiving(engine, upstream.EndPoint, ProxyProtocolMode.Required)),
            ProxyProtocolVersion.V2, ProxyProtocolTlv.Authority, ProxyProtocolTlv.UniqueId, ProxyProtocolTlv.Crc32c);
        await using var proxy = await ProxyEnvironment.StartAsync(config);
        using var client = await proxy.ConnectAsync();
        var hello = ClientHelloBuilder.Browser("a.example.com").Build();

        await client.SendAllAsync((byte[])[.. ProxyPool.Header, .. hello]);

        var bytes = await firstReceive.Task.WaitAsync(Wait.Limit);
        Assert.Equal(ProxyHeaderStatus.Header, ProxyHeaderParser.Parse(bytes, out var header, out var length, out _));
        Assert.Equal("192.0.2.1:56324", header!.Source!.ToString());
        Assert.Equal("198.51.100.2:443", header.Destination!.ToString());
        Assert.Equal("a.example.com", header.Authority);
        Assert.NotNull(header.UniqueId);
        Assert.Equal(hello, bytes[length..]);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task FailedDialAndWarmConnection_GetOneHeader(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = ProxyPool.Sending(ProxyEnvironment.OneRoute(engine, upstream.EndPoint), ProxyProtocolVersion.V2);
        config = config with
        {
            Clusters = new Dictionary<string, ClusterConfig>
            {
                ["c"] = config.Clusters["c"] with
                {
                    LoadBalancingPolicy = "FirstAlphabetical",
                    WarmConnections = 1,
                    Destinations = new Dictionary<string, DestinationConfig>
                    {
                        ["a"] = new() { Address = ScriptedUpstream.Nobody().ToString() },
                        ["b"] = new() { Address = upstream.EndPoint.ToString() },
                    },
                },
            },
        };
        await using var proxy = await ProxyEnvironment.StartAsync(config);
        for (var i = 0; i < 3; i++)
        {
            using var client = await proxy.ConnectAsync();
            await client.SendAllAsync("hello"u8.ToArray());
            client.Shutdown(SocketShutdown.Send);

            var bytes = await client.ReceiveToEndAsync();

            Assert.Equal(ProxyHeaderStatus.Header, ProxyHeaderParser.Parse(bytes, out var header, out var length, out _));
            Assert.Equal(((IPEndPoint)client.LocalEndPoint!).Port, ((IPEndPoint)header!.Source!).Port);
            Assert.Equal("hello"u8.ToArray(), bytes[length..]);
        }
    }

    /// <summary>A connection that was made ahead is as silent as one without a session has to be.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task WarmConnection_GetsItsHeaderWhenASessionTakesIt(EngineKind engine)
    {
        var received = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            var buffer = new byte[4096];
            var count = await socket.ReceiveAsync(buffer);
            received.TrySetResult(buffer[..count]);
            await socket.ReceiveToEndAsync();
        });
        var config = ProxyPool.Sending(ProxyEnvironment.OneRoute(engine, upstream.EndPoint), ProxyProtocolVersion.V1);
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Clusters = new Dictionary<string, ClusterConfig> { ["c"] = config.Clusters["c"] with { WarmConnections = 1 } },
        });
        var pool = (await Wait.ForAsync(() => proxy.Services.GetRequiredService<IProxyState>().Current!.Clusters["c"].Model.Destinations[0].Warm is { Count: 1 } warm ? warm : null, "a warm connection"))!;
        Assert.False(received.Task.IsCompleted);

        using var client = await proxy.ConnectAsync();

        Assert.StartsWith($"PROXY TCP4 127.0.0.1 127.0.0.1 {((IPEndPoint)client.LocalEndPoint!).Port} ", System.Text.Encoding.ASCII.GetString(await received.Task.WaitAsync(Wait.Limit)), StringComparison.Ordinal);
        Assert.Equal((1, 0), (pool.Hits, pool.Misses));
    }

    [Fact]
    public async Task Check_SendsALocalHeader()
    {
        var received = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var upstream = new ScriptedUpstream(async socket => received.TrySetResult(await socket.ReceiveToEndAsync()));
        var config = ProxyPool.Sending(ProxyEnvironment.OneRoute(EngineKind.Sockets, upstream.EndPoint), ProxyProtocolVersion.V2);
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Clusters = new Dictionary<string, ClusterConfig>
            {
                ["c"] = config.Clusters["c"] with { HealthCheck = new HealthCheckConfig { Active = new ActiveHealthCheckConfig { Kind = HealthCheckKind.Tcp } } },
            },
        });

        Assert.Equal(Convert.FromHexString("0d0a0d0a000d0a515549540a20000000"), await received.Task.WaitAsync(Wait.Limit));
    }
}
