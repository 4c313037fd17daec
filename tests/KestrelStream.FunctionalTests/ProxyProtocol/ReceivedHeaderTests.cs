using System.Net.Sockets;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.FunctionalTests.ProxyProtocol;

/// <summary>Headers of peers in front: who is believed, and that every byte behind a header arrives once.</summary>
public sealed class ReceivedHeaderTests
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Header_CutAnywhere_IsReadAndBytesBehindItArriveOnce(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var hello = ClientHelloBuilder.Browser("a.example.com").Build();
        foreach (var byName in new[] { false, true })
        {
            var config = ProxyPool.Receiving(engine, upstream.EndPoint, ProxyProtocolMode.Required);
            await using var proxy = await ProxyEnvironment.StartAsync(byName ? ProxyPool.ByName(config) : config);
            byte[] v1 = [.. "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"u8, .. hello];
            byte[] v2 = [.. ProxyPool.Header, .. hello];
            foreach (var bytes in new[] { v1, v2 })
            {
                for (var cut = 0; cut <= 64; cut += cut < 32 ? 3 : 7)
                {
                    using var client = await proxy.ConnectAsync();
                    await client.SendAllAsync(bytes.AsMemory(0, cut));
                    await Task.Yield();
                    await client.SendAllAsync(bytes.AsMemory(cut));
                    client.Shutdown(SocketShutdown.Send);

                    Assert.Equal(hello, await client.ReceiveToEndAsync());
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Header_ByteByByte_IsRead(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyPool.Receiving(engine, upstream.EndPoint, ProxyProtocolMode.Required));
        using var client = await proxy.ConnectAsync();

        foreach (var b in ProxyPool.Header)
        {
            await client.SendAllAsync(new[] { b });
        }

        await client.SendAllAsync("hello"u8.ToArray());
        Assert.Equal("hello"u8.ToArray(), await client.ReceiveExactlyAsync(5));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task MalformedHeader_IsResetAndNothingIsDialled(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyPool.Receiving(engine, upstream.EndPoint, ProxyProtocolMode.Required));
        foreach (var text in new[] { "GET / HTTP/1.1\r\n\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n", "PROXY TCP9", "\r\n\r\n\0\r\nQUIT\n\u0031", "PROXY " + new string('x', 200) })
        {
            using var client = await proxy.ConnectAsync();
            await client.SendAllAsync(Encoding.Latin1.GetBytes(text));

            Assert.True(await client.EndsWithResetAsync(), text);
        }

        Assert.Equal(0, upstream.Count);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task NoHeaderInTime_IsReset(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyPool.Receiving(engine, upstream.EndPoint, ProxyProtocolMode.Required, timeout: TimeSpan.FromMilliseconds(300)));
        using var client = await proxy.ConnectAsync();

        await client.SendAllAsync("PROXY TCP4 "u8.ToArray());

        Assert.True(await client.EndsWithResetAsync());
        Assert.Equal(0, upstream.Count);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task UntrustedPeer_IsRefusedWhereRequired(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyPool.Receiving(engine, upstream.EndPoint, ProxyProtocolMode.Required, trusted: "10.0.0.0/8"));
        using var client = await proxy.TryConnectAsync();
        if (client is not null)
        {
            Assert.True(await client.EndsWithResetAsync());
        }

        Assert.Equal(0, upstream.Count);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task UntrustedPeer_IsAnOrdinaryClientWhereOptional(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyPool.Receiving(engine, upstream.EndPoint, ProxyProtocolMode.Optional, trusted: "10.0.0.0/8"));
        using var client = await proxy.ConnectAsync();

        await client.SendAllAsync(ProxyPool.Header);

        Assert.Equal(ProxyPool.Header, await client.ReceiveExactlyAsync(ProxyPool.Header.Length));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task TrustedPeer_MaySendNoneWhereOptional(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyPool.Receiving(engine, upstream.EndPoint, ProxyProtocolMode.Optional));
        foreach (var (sent, expected) in new[] { ("POST / HTTP/1.1", "POST / HTTP/1.1"), ("PRO", "PRO"), ("\r\n", "\r\n"), ("PROXY UNKNOWN\r\nhi", "hi") })
        {
            using var client = await proxy.ConnectAsync();
            await client.SendAllAsync(Encoding.ASCII.GetBytes(sent));
            client.Shutdown(SocketShutdown.Send);

            Assert.Equal(expected, Encoding.ASCII.GetString(await client.ReceiveToEndAsync()));
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task RefusedPeers_HaveTheirEndReason(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        foreach (var (trusted, text, reason) in new[]
        {
            ("10.0.0.0/8", "", SessionEndReason.AccessDenied),
            ("127.0.0.1", "PROXY TCP4 x", SessionEndReason.ProxyHeaderTimeout),
            ("127.0.0.1", "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n", SessionEndReason.ProxyHeaderMalformed),
        })
        {
            using var folder = new TempFolder();
            var config = ProxyPool.Receiving(engine, upstream.EndPoint, ProxyProtocolMode.Required, trusted, TimeSpan.FromMilliseconds(200));
            await using (var proxy = await ProxyEnvironment.StartAsync(config with { AccessLog = new AccessLogConfig { Path = folder["access.log"] } }))
            {
                using var client = await proxy.TryConnectAsync();
                if (text.Length > 0)
                {
                    await client!.SendAllAsync(Encoding.ASCII.GetBytes(text));
                }

                Assert.True(client is null || await client.EndsWithResetAsync());
                await proxy.StopAsync();
            }

            Assert.Contains($"\"end_reason\":\"{reason}\"", await File.ReadAllTextAsync(folder["access.log"]), StringComparison.Ordinal);
        }
    }

    /// <summary>With steps of the app, which <see cref="ProxyEnvironment"/> always has, and the log: both see the client that was announced.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task AnnouncedClient_IsTheOneThatIsLogged_AndThePeerStays(EngineKind engine)
    {
        using var folder = new TempFolder();
        await using var upstream = ScriptedUpstream.Echo();
        var config = ProxyPool.Receiving(engine, upstream.EndPoint, ProxyProtocolMode.Required) with { AccessLog = new AccessLogConfig { Path = folder["access.log"] } };
        await using (var proxy = await ProxyEnvironment.StartAsync(config))
        {
            using var client = await proxy.ConnectAsync();
            await client.SendAllAsync((byte[])[.. ProxyPool.Header, 1]);
            await client.ReceiveExactlyAsync(1);
            client.Shutdown(SocketShutdown.Send);
            await client.ReceiveToEndAsync();
            Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync());
            await proxy.StopAsync();
        }

        var line = await File.ReadAllTextAsync(folder["access.log"]);
        Assert.Contains("\"client\":\"192.0.2.1:56324\",\"peer\":\"127.0.0.1:", line, StringComparison.Ordinal);
        Assert.Contains("\"bytes_in\":1,\"bytes_out\":1,", line, StringComparison.Ordinal);
    }
}
