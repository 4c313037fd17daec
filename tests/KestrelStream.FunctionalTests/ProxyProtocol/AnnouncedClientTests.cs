using System.Net;
using System.Net.Sockets;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.FunctionalTests.ProxyProtocol;

/// <summary>The client that a header announces is the client: for the choice of a destination, over unix sockets, with the longest hello.</summary>
public sealed class AnnouncedClientTests
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task ConsistentHash_GoesByTheAnnouncedClient(EngineKind engine)
    {
        await using var a = ScriptedUpstream.Named("a", IPAddress.Loopback, 0);
        await using var b = ScriptedUpstream.Named("b", IPAddress.Loopback, 0);
        var config = ProxyPool.Receiving(engine, a.EndPoint, ProxyProtocolMode.Required);
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Clusters = new Dictionary<string, ClusterConfig>
            {
                ["c"] = new()
                {
                    LoadBalancingPolicy = "ConsistentHash",
                    Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = a.EndPoint.ToString() }, ["b"] = new() { Address = b.EndPoint.ToString() } },
                },
            },
        });
        var answers = new Dictionary<int, string>();
        for (var i = 0; i < 60; i++)
        {
            using var client = await proxy.ConnectAsync();
            await client.SendAllAsync(Encoding.ASCII.GetBytes($"PROXY TCP4 192.0.2.{i % 20} 198.51.100.2 {1024 + i} 443\r\n"));
            var answer = Encoding.ASCII.GetString(await client.ReceiveExactlyAsync(1));

            Assert.Equal(answers.TryAdd(i % 20, answer) ? answer : answers[i % 20], answer);
        }

        Assert.Equal(["a", "b"], answers.Values.Distinct().Order());
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task UnixListener_TrustedPeer_AnnouncesAClient(EngineKind engine)
    {
        using var folder = new TempFolder();
        await using var upstream = ScriptedUpstream.Echo();
        var config = ProxyPool.Receiving(engine, upstream.EndPoint, ProxyProtocolMode.Required, trusted: "unix:");
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyPool.Sending(config, ProxyProtocolVersion.V1) with
        {
            Listeners = config.Listeners.ToDictionary(pair => pair.Key, pair => pair.Value with { Address = $"unix:{folder["front.sock"]}" }),
        });
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await client.ConnectAsync(new UnixDomainSocketEndPoint(folder["front.sock"]));

        await client.SendAllAsync((byte[])[.. ProxyPool.Header, .. "hello"u8]);

        const string Expected = "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\nhello";
        Assert.Equal(Expected, Encoding.ASCII.GetString(await client.ReceiveExactlyAsync(Expected.Length)));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task LongestHello_InOneSendWithItsHeader_ArrivesWhole(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = ProxyPool.ByName(ProxyPool.Receiving(engine, upstream.EndPoint, ProxyProtocolMode.Required));
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Listeners = config.Listeners.ToDictionary(pair => pair.Key, pair => pair.Value with { PrereadBufferBytes = 65536 }),
        });
        var message = new ClientHelloBuilder().WithVersions(0x0304).WithServerName("a.example.com").PaddedTo(65000).BuildMessage();
        var hello = ClientHelloBuilder.Frame(message, 16000, 32000, 48000, 64000);
        using var client = await proxy.ConnectAsync();

        await client.SendAllAsync((byte[])[.. ProxyPool.Header, .. hello]);
        client.Shutdown(SocketShutdown.Send);

        Assert.Equal(hello, await client.ReceiveToEndAsync());
        Assert.Equal("a", proxy.Sessions.Single().Route);
    }
}
