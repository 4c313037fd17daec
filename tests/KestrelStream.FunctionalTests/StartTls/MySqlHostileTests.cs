using System.Net.Security;
using System.Net.Sockets;
using KestrelStream.Configuration;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.FunctionalTests.StartTls;

/// <summary>Clients and servers that do not keep MySQL's rules, or fall silent, in each step before the relay.</summary>
public sealed class MySqlHostileTests(MySqlServers servers) : IClassFixture<MySqlServers>
{
    /// <summary>PROTOCOL_41, SSL, SECURE_CONNECTION, PLUGIN_AUTH.</summary>
    private static readonly byte[] s_request = [32, 0, 0, 1, 0, 0x8a, 8, 0, 0, 0, 0, 1, 45, .. new byte[23]];

    /// <summary>The same, user "open", no password.</summary>
    private static readonly byte[] s_login = [.. s_request[4..], .. "open\0"u8, 0, .. "mysql_native_password\0"u8];

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Client_EveryPieceByItself_LogsIn(EngineKind engine, TlsEngineKind tlsEngine)
    {
        foreach (var isSecure in new[] { false, true })
        {
            var config = MySqlScene.Config(servers, engine, tlsEngine, (isSecure ? servers.Secure : servers.Plain).EndPoint);
            await using var proxy = await ProxyEnvironment.StartAsync(isSecure ? config.WithUpstreamTls(servers) : config);
            using var socket = await proxy.ConnectAsync();
            Assert.Equal(10, (await ReadAsync(socket))[4]);
            foreach (var b in s_request)
            {
                await socket.SendAllAsync(new[] { b });
            }

            await using var tls = await ShakeHandsAsync(socket);
            foreach (var b in Packet(s_login, 2))
            {
                await tls.WriteAsync(new[] { b });
            }

            var answer = await ReadAsync(tls);
            Assert.Equal((3, 0), (answer[3], answer[4]));
            await tls.WriteAsync(Packet([14], 0));
            answer = await ReadAsync(tls);
            Assert.Equal((1, 0), (answer[3], answer[4]));
        }
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Client_LoginAndCommandAtOnce_BothArrive(EngineKind engine, TlsEngineKind tlsEngine)
    {
        foreach (var isSecure in new[] { false, true })
        {
            var config = MySqlScene.Config(servers, engine, tlsEngine, (isSecure ? servers.Secure : servers.Plain).EndPoint);
            await using var proxy = await ProxyEnvironment.StartAsync(isSecure ? config.WithUpstreamTls(servers) : config);
            using var socket = await proxy.ConnectAsync();
            await using var tls = await GreetAsync(socket);

            await tls.WriteAsync((byte[])[.. Packet(s_login, 2), .. Packet([14], 0), .. Packet([14], 0)]);

            foreach (var number in new[] { 3, 1, 1 })
            {
                var answer = await ReadAsync(tls);
                Assert.Equal((number, 0), (answer[3], answer[4]));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Client_BreaksTheRules_IsReset(EngineKind engine)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(MySqlScene.Config(servers, engine, TlsEngineKind.Auto, servers.Plain.EndPoint));
        var number = 0;
        foreach (var bytes in new byte[][]
        {
            Packet(s_request[4..], 2),
            [0xff, 0xff, 0xff, 1],
            [.. s_request, .. Packet(s_login, 2)],
            [.. s_request, 0],
            "GET / HTTP/1.1\r\n\r\n"u8.ToArray(),
            ClientHelloBuilder.Browser("localhost").Build(),
        })
        {
            using var socket = await proxy.ConnectAsync();
            await ReadAsync(socket);
            await socket.SendAllAsync(bytes);
            Assert.True(await socket.EndsWithResetAsync());
            Assert.Equal(SessionEndReason.ProtocolViolation, await proxy.EndReasonAsync(number++));
        }
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Client_BreaksTheRulesInItsLogin_IsReset(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(MySqlScene.Config(servers, engine, tlsEngine, servers.Plain.EndPoint));
        var number = 0;
        foreach (var bytes in new byte[][] { Packet(s_login, 1), Packet(s_login, 3), [0xff, 0xff, 0xff, 2, 0, 0], Packet(s_login[..20], 2), Packet(s_login[..36], 2), Packet([.. s_login[..32], .. "me\0"u8, 250], 2) })
        {
            using var socket = await proxy.ConnectAsync();
            await using var tls = await GreetAsync(socket);
            await tls.WriteAsync(bytes);
            Assert.True(await socket.EndsWithResetAsync());
            Assert.Equal(SessionEndReason.ProtocolViolation, await proxy.EndReasonAsync(number++));
        }
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Client_FallsSilentBehindTls_IsEndedByHandshakeTimeout(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(Hasty(MySqlScene.Config(servers, engine, tlsEngine, servers.Plain.EndPoint)));
        using var socket = await proxy.ConnectAsync();
        await using var tls = await GreetAsync(socket);
        await tls.WriteAsync(Packet(s_login, 2).AsMemory(0, 30));

        Assert.True(await socket.EndsWithResetAsync());
        Assert.Equal(SessionEndReason.ClientTlsTimeout, await proxy.EndReasonAsync());

        using var leaver = await proxy.ConnectAsync();
        await using (var left = await GreetAsync(leaver))
        {
            await left.ShutdownAsync();
            leaver.Shutdown(SocketShutdown.Send);
            Assert.Equal(SessionEndReason.ClientGone, await proxy.EndReasonAsync(1));
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Server_GreetsWithAnError_ClientGetsItAsItIs(EngineKind engine)
    {
        byte[] error = Packet([0xff, 0x10, 0x04, .. "Too many connections"u8], 0);
        await using var server = new ScriptedUpstream(socket => socket.SendAllAsync(error));
        await using var proxy = await ProxyEnvironment.StartAsync(MySqlScene.Config(servers, engine, TlsEngineKind.Auto, server.EndPoint));
        using var socket = await proxy.ConnectAsync();

        Assert.Equal(error, await socket.ReceiveToEndAsync());
        Assert.Equal(SessionEndReason.ConnectRefused, await proxy.EndReasonAsync());
    }

    /// <summary>Where TLS from the first byte is taken, too, a wait for the client has begun when the server is asked.</summary>
    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task ListenerWithOtherRoutes_SilentClient_GetsErrorOrGreeting(EngineKind engine, TlsEngineKind tlsEngine)
    {
        byte[] error = Packet([0xff, 0x10, 0x04, .. "Too many connections"u8], 0);
        await using var full = new ScriptedUpstream(socket => socket.SendAllAsync(error));
        foreach (var destination in new[] { full.EndPoint, servers.Plain.EndPoint })
        {
            var config = MySqlScene.Config(servers, engine, tlsEngine, destination).WithRoutes(
                ("db", MySqlScene.Route("own")),
                ("clear", new RouteConfig { Match = new RouteMatch { Protocols = [ClientProtocol.ServerFirst] }, ClusterId = "db" }),
                ("web", new RouteConfig { Match = new RouteMatch { Sni = ["web.example.com"] }, ClusterId = "db" }));
            await using var proxy = await ProxyEnvironment.StartAsync(config with
            {
                Listeners = new Dictionary<string, ListenerConfig> { ["public"] = config.Listeners["public"] with { ServerFirstAfter = TimeSpan.FromMilliseconds(100) } },
            });
            using var socket = await proxy.ConnectAsync();
            if (destination == full.EndPoint)
            {
                Assert.Equal(error, await ReadAsync(socket));
                socket.Shutdown(SocketShutdown.Send);
                Assert.Equal(SessionEndReason.ConnectRefused, await proxy.EndReasonAsync());
                continue;
            }

            await using var tls = await GreetAsync(socket);
            await tls.WriteAsync(Packet(s_login, 2));
            Assert.Equal(0, (await ReadAsync(tls))[4]);
            Assert.Equal("db", proxy.Sessions.Single().Route);

            // The same without TLS, in two pieces: what decides, and the rest.
            using var clear = await proxy.ConnectAsync();
            await ReadAsync(clear);
            var login = Packet(s_login, 1);
            login[5] &= 0xf7;
            await clear.SendAllAsync(login.AsMemory(0, 10));
            await clear.SendAllAsync(login.AsMemory(10));
            Assert.Equal(0, (await ReadAsync(clear))[4]);
            Assert.Equal("clear", proxy.Sessions.Last().Route);
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Server_IsNone_EndsTheSessionBeforeTheClientIsGreeted(EngineKind engine)
    {
        var greeting = MySqlServer.Greeting("01234567890123456789"u8.ToArray(), "mysql_native_password");
        foreach (var (bytes, end) in new (byte[], SessionEndReason)[]
        {
            ([0xff, 0xff, 0xff, 0, 10], SessionEndReason.ConnectRefused),
            (Packet([9, .. greeting[1..]], 0), SessionEndReason.ConnectRefused),
            (Packet(greeting, 1), SessionEndReason.ConnectRefused),
            (Packet(greeting[..40], 0), SessionEndReason.ConnectRefused),
            ([], SessionEndReason.ConnectRefused),
            ([.. Packet(greeting, 0), .. "more"u8], SessionEndReason.ConnectRefused),
            ("220 mail ready\r\n"u8.ToArray(), SessionEndReason.ConnectRefused),
            (Packet(greeting, 0)[..20], SessionEndReason.ConnectTimeout),
        })
        {
            await using var server = new ScriptedUpstream(async socket =>
            {
                await socket.SendAllAsync(bytes);
                if (end == SessionEndReason.ConnectTimeout)
                {
                    await socket.ReceiveToEndAsync();
                }
            });
            await using var proxy = await ProxyEnvironment.StartAsync(Hasty(MySqlScene.Config(servers, engine, TlsEngineKind.Auto, server.EndPoint)));
            using var socket = await proxy.TryConnectAsync();

            Assert.True(socket is null || await socket.EndsWithResetAsync(), Convert.ToHexString(bytes));
            Assert.Equal(end, await proxy.EndReasonAsync());
        }
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Server_AnswersTheLoginWrongly_EndsTheSession(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var greeting = MySqlServer.Greeting("01234567890123456789"u8.ToArray(), "mysql_native_password");
        foreach (var (bytes, end) in new (byte[]?, SessionEndReason)[]
        {
            (Packet([0, 0, 0, 2, 0, 0, 0], 3), SessionEndReason.ConnectRefused),
            ([0xff, 0xff, 0xff, 2, 0], SessionEndReason.ConnectRefused),
            (Packet([], 2), SessionEndReason.ConnectRefused),
            ([], SessionEndReason.ConnectRefused),
            (null, SessionEndReason.ConnectTimeout),
        })
        {
            await using var server = new ScriptedUpstream(async socket =>
            {
                await socket.SendAllAsync(Packet(greeting, 0));
                await socket.ReceiveExactlyAsync(4 + s_login.Length);
                if (bytes is null)
                {
                    await socket.ReceiveToEndAsync();
                    return;
                }

                await socket.SendAllAsync(bytes);
            });
            await using var proxy = await ProxyEnvironment.StartAsync(Hasty(MySqlScene.Config(servers, engine, tlsEngine, server.EndPoint)));
            using var socket = await proxy.ConnectAsync();
            await using var tls = await GreetAsync(socket);
            await tls.WriteAsync(Packet(s_login, 2));

            Assert.True(await socket.EndsWithResetAsync());
            Assert.Equal(end, await proxy.EndReasonAsync());
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Server_ThatNeverComesToAnEnd_IsEnded(EngineKind engine)
    {
        var greeting = MySqlServer.Greeting("01234567890123456789"u8.ToArray(), "mysql_native_password");
        await using var server = new ScriptedUpstream(async socket =>
        {
            await socket.SendAllAsync(Packet(greeting, 0));
            await socket.ReceiveExactlyAsync(4 + s_login.Length);
            for (byte number = 2; ; number += 2)
            {
                await socket.SendAllAsync(Packet([7], number));
                await socket.ReceiveExactlyAsync(5);
            }
        });
        await using var proxy = await ProxyEnvironment.StartAsync(MySqlScene.Config(servers, engine, TlsEngineKind.Auto, server.EndPoint));
        using var socket = await proxy.ConnectAsync();
        await using var tls = await GreetAsync(socket);
        await tls.WriteAsync(Packet(s_login, 2));

        for (byte number = 3; number < 3 + 2 * 64; number += 2)
        {
            Assert.Equal(Packet([7], number), await ReadAsync(tls));
            await tls.WriteAsync(Packet([8], (byte)(number + 1)));
        }

        Assert.True(await socket.EndsWithResetAsync());
        Assert.Equal(SessionEndReason.ProtocolViolation, await proxy.EndReasonAsync());
    }

    private static StreamProxyConfig Hasty(StreamProxyConfig config) => config with
    {
        Listeners = new Dictionary<string, ListenerConfig> { ["public"] = config.Listeners["public"] with { HandshakeTimeout = TimeSpan.FromSeconds(1) } },
        Clusters = new Dictionary<string, ClusterConfig> { ["db"] = config.Clusters["db"] with { ConnectTimeout = TimeSpan.FromSeconds(1) } },
    };

    private static byte[] Packet(byte[] payload, byte number) => [(byte)payload.Length, (byte)(payload.Length >> 8), 0, number, .. payload];

    private static async Task<SslStream> GreetAsync(Socket socket)
    {
        await ReadAsync(socket);
        await socket.SendAllAsync(s_request);
        return await ShakeHandsAsync(socket);
    }

    private static async Task<SslStream> ShakeHandsAsync(Socket socket)
    {
        var tls = new SslStream(new NetworkStream(socket), leaveInnerStreamOpen: false, (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync("localhost");
        return tls;
    }

    private static async Task<byte[]> ReadAsync(Socket socket)
    {
        var header = await socket.ReceiveExactlyAsync(4);
        return [.. header, .. await socket.ReceiveExactlyAsync(header[0] | header[1] << 8)];
    }

    private static async Task<byte[]> ReadAsync(SslStream tls)
    {
        var header = new byte[4];
        await tls.ReadExactlyAsync(header).AsTask().WaitAsync(Wait.Limit);
        var payload = new byte[header[0] | header[1] << 8];
        await tls.ReadExactlyAsync(payload).AsTask().WaitAsync(Wait.Limit);
        return [.. header, .. payload];
    }
}
