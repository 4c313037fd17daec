using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.FunctionalTests.Tls.Upstream;

/// <summary>Bytes and ends through TLS to destinations, from clients with and without TLS of their own, on every engine.</summary>
public sealed class UpstreamRelayTests : IDisposable
{
    private const int Large = 24 << 20;

    private readonly UpstreamPool _pool = new();

    public void Dispose() => _pool.Dispose();

    [Theory]
    [MemberData(nameof(UpstreamPool.EnginesAndVersions), MemberType = typeof(UpstreamPool))]
    public async Task LargeTransfers_BothWays_WithHalfClose_ArriveWhole(EngineKind engine, TlsEngineKind tlsEngine, TlsVersion version)
    {
        await using var upstream = TlsUpstream.Digest(UpstreamPool.Certificate, version == TlsVersion.Tls13 ? SslProtocols.Tls13 : SslProtocols.Tls12);
        foreach (var terminates in new[] { false, true })
        {
            var config = _pool.Config(engine, tlsEngine, [upstream.EndPoint]);
            await using var proxy = await ProxyEnvironment.StartAsync(terminates ? UpstreamPool.Terminating(config) : config);
            using var socket = await proxy.ConnectAsync();
            await using var client = await OpenAsync(socket, terminates);
            var bytes = RandomNumberGenerator.GetBytes(Large);

            await client.WriteAsync(bytes);
            await EndSendingAsync(client, socket);
            var digest = new byte[SHA256.HashSizeInBytes];
            await client.ReadExactlyAsync(digest).AsTask().WaitAsync(Wait.Limit);

            Assert.Equal(SHA256.HashData(bytes), digest);
            Assert.Equal(Large, await CountToEndAsync(client));
            Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync());
            Assert.Equal((Large, Large + digest.Length), (proxy.Sessions.Single().BytesIn, proxy.Sessions.Single().BytesOut));
            Assert.Null(upstream.Failure);
        }
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task FullDuplex_OnBothSidesAtOnce_ArrivesWhole(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var upstream = TlsUpstream.Echo(UpstreamPool.Certificate);
        foreach (var terminates in new[] { false, true })
        {
            var config = _pool.Config(engine, tlsEngine, [upstream.EndPoint]);
            await using var proxy = await ProxyEnvironment.StartAsync(terminates ? UpstreamPool.Terminating(config) : config);
            await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
            {
                using var socket = await proxy.ConnectAsync();
                await using var client = await OpenAsync(socket, terminates);
                var bytes = RandomNumberGenerator.GetBytes((1 << 20) + i);
                var echo = new byte[bytes.Length];
                var reading = client.ReadExactlyAsync(echo).AsTask();
                for (var start = 0; start < bytes.Length; start += 7777)
                {
                    await client.WriteAsync(bytes.AsMemory(start, Math.Min(7777, bytes.Length - start)));
                }

                await reading.WaitAsync(Wait.Limit);
                Assert.Equal(bytes, echo);
                await EndSendingAsync(client, socket);
                Assert.Equal(0, await CountToEndAsync(client));
            }));
        }
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task PassedThrough_TheClientsOwnTls_GoesInsideOurs(EngineKind engine, TlsEngineKind tlsEngine)
    {
        // Inner TLS of the client with the destination, outer TLS of ours.
        await using var upstream = TlsUpstream.Create(TlsUpstream.Options(UpstreamPool.Certificate), async (outer, _) =>
        {
            await using var inner = new SslStream(outer);
            await inner.AuthenticateAsServerAsync(TlsUpstream.Options(TestCertificates.Shared.Issue("inner.example.com")));
            await inner.WriteAsync(Encoding.ASCII.GetBytes($"{outer.TargetHostName} {inner.TargetHostName}"));
            await inner.ShutdownAsync();
        });
        var config = _pool.Config(engine, tlsEngine, [upstream.EndPoint]);
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Routes = new Dictionary<string, RouteConfig> { ["sni"] = config.Routes["all"] with { Match = new RouteMatch { Sni = ["inner.example.com"] } } },
        });
        using var socket = await proxy.ConnectAsync();
        await using var ssl = new SslStream(new NetworkStream(socket), false, (_, _, _, _) => true);
        await ssl.AuthenticateAsClientAsync("inner.example.com").WaitAsync(Wait.Limit);

        using var reader = new StreamReader(ssl);
        Assert.Equal($"{UpstreamPool.Name} inner.example.com", await reader.ReadToEndAsync().WaitAsync(Wait.Limit));
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task ClientsName_IsPassedOn_WhenAskedFor(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var upstream = TlsUpstream.Named(TestCertificates.Shared.Issue("app.example.com", "127.0.0.1"));
        await using var proxy = await ProxyEnvironment.StartAsync(UpstreamPool.Terminating(_pool.Config(engine, tlsEngine, [upstream.EndPoint], tls => tls with { ServerName = "{sni}" })));
        foreach (var (name, expected) in new[] { ("app.example.com", "[app.example.com]"), ("", "[]"), ("other.example.com", null) })
        {
            using var socket = await proxy.ConnectAsync();
            await using var client = await OpenAsync(socket, terminates: true, name);
            var buffer = new byte[100];
            try
            {
                var count = await client.ReadAsync(buffer).AsTask().WaitAsync(Wait.Limit);
                Assert.Equal(expected, Encoding.ASCII.GetString(buffer, 0, count));
            }
            catch (IOException)
            {
                Assert.Null(expected);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Truncation_ByTheDestination_ResetsTheClient(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var upstream = TlsUpstream.Create(TlsUpstream.Options(UpstreamPool.Certificate), async (ssl, socket) =>
        {
            await ssl.WriteAsync("half an answ"u8.ToArray());
            var word = new byte[1];
            await ssl.ReadExactlyAsync(word);
            if (word[0] == 'e')
            {
                // The client's end follows: a reset that came before it would be told to the client's shutdown, and not to its read.
                Assert.Equal(0, await ssl.ReadAsync(word));
            }

            socket.Shutdown(SocketShutdown.Send);
            await socket.ReceiveToEndAsync();
        });
        foreach (var terminates in new[] { false, true })
        {
            foreach (var halfCloses in new[] { false, true })
            {
                var config = _pool.Config(engine, tlsEngine, [upstream.EndPoint]);
                await using var proxy = await ProxyEnvironment.StartAsync(terminates ? UpstreamPool.Terminating(config) : config);
                using var socket = await proxy.ConnectAsync();
                await using var client = await OpenAsync(socket, terminates);
                await client.ReadExactlyAsync(new byte[12]).AsTask().WaitAsync(Wait.Limit);
                await client.WriteAsync(halfCloses ? "e"u8.ToArray() : "x"u8.ToArray());
                if (halfCloses)
                {
                    await EndSendingAsync(client, socket);
                }

                // A client that has ended its sending waits for an answer all the same: it must not take a cut one for whole.
                Assert.True(await socket.EndsWithResetAsync());
                Assert.Equal(SessionEndReason.UpstreamReset, await proxy.EndReasonAsync());
            }
        }
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Reset_ByTheClient_ReachesTheDestination(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var wasReset = new TaskCompletionSource<bool>();
        await using var upstream = TlsUpstream.Create(TlsUpstream.Options(UpstreamPool.Certificate), async (ssl, socket) =>
        {
            await ssl.WriteAsync("x"u8.ToArray());
            wasReset.SetResult(await socket.EndsWithResetAsync());
        });
        await using var proxy = await ProxyEnvironment.StartAsync(_pool.Config(engine, tlsEngine, [upstream.EndPoint]));
        using var client = await proxy.ConnectAsync();
        await client.ReceiveExactlyAsync(1);
        client.Reset();

        Assert.True(await wasReset.Task.WaitAsync(Wait.Limit));
        Assert.Equal(SessionEndReason.ClientReset, await proxy.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task NoTlsAnyMore_FromTheDestination_EndsTheSession(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var gotAlert = new TaskCompletionSource<int>();
        await using var upstream = TlsUpstream.Create(TlsUpstream.Options(UpstreamPool.Certificate), async (ssl, socket) =>
        {
            await ssl.WriteAsync("x"u8.ToArray());
            _ = await ssl.ReadAsync(new byte[1]);
            await socket.SendAllAsync(Enumerable.Repeat((byte)0x17, 300).ToArray());
            gotAlert.SetResult(await socket.ReceiveAsync(new byte[100]));
        });
        await using var proxy = await ProxyEnvironment.StartAsync(_pool.Config(engine, tlsEngine, [upstream.EndPoint]));
        using var client = await proxy.ConnectAsync();
        await client.ReceiveExactlyAsync(1);
        await client.SendAllAsync("y"u8.ToArray());

        Assert.True(await client.EndsWithResetAsync());
        if (tlsEngine == TlsEngineKind.OpenSsl)
        {
            Assert.Equal(SessionEndReason.UpstreamTlsFailed, await proxy.EndReasonAsync());
            Assert.True(await gotAlert.Task.WaitAsync(Wait.Limit) > 0);
            Assert.Matches("wrong version|packet length|bad record|http request|record", (await _pool.RecordsAsync(1))[0].GetProperty("upstream_tls_error").GetString());
        }
        else
        {
            Assert.Equal(SessionEndReason.UpstreamReset, await proxy.EndReasonAsync());
        }
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task SlowReaders_OnEitherSide_StopTheOther_AndLoseNothing(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var upstream = TlsUpstream.Digest(UpstreamPool.Certificate, SslProtocols.Tls13);
        await using var proxy = await ProxyEnvironment.StartAsync(UpstreamPool.Terminating(_pool.Config(engine, tlsEngine, [upstream.EndPoint])));
        using var socket = await proxy.ConnectAsync();
        await using var client = await OpenAsync(socket, terminates: true);
        var bytes = RandomNumberGenerator.GetBytes(4 << 20);
        await client.WriteAsync(bytes);
        await EndSendingAsync(client, socket);
        var digest = new byte[SHA256.HashSizeInBytes];
        await client.ReadExactlyAsync(digest).AsTask().WaitAsync(Wait.Limit);
        Assert.Equal(SHA256.HashData(bytes), digest);

        // The answer fills every buffer on the way before anyone reads on.
        var session = proxy.Sessions.Single();
        long before;
        do
        {
            before = session.BytesOut;
            await Task.Delay(100);
        }
        while (session.BytesOut != before);

        Assert.Equal(bytes.Length, await CountToEndAsync(client));
        Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task CloseStorm_EverySessionEndsOnce_AndNothingIsLeft(EngineKind engine, TlsEngineKind tlsEngine)
    {
        const int Sessions = 300;
        await using var upstream = TlsUpstream.Echo(UpstreamPool.Certificate);
        await using var proxy = await ProxyEnvironment.StartAsync(UpstreamPool.Terminating(_pool.Config(engine, tlsEngine, [upstream.EndPoint])));
        await Parallel.ForAsync(0, Sessions, new ParallelOptions { MaxDegreeOfParallelism = 24 }, async (i, _) => await ComeAndGoAsync(proxy, i));

        await Task.WhenAll(proxy.Sessions.Select(session => session.Ended)).WaitAsync(Wait.Limit);
        Assert.Equal(Sessions, proxy.Sessions.Count);
        await Wait.UntilAsync(() => upstream.Active == 0, "the destination's connections to end");
        Assert.All(proxy.Sessions, session => Assert.Contains(session.EndReason, new[] { SessionEndReason.Completed, SessionEndReason.ClientReset, SessionEndReason.UpstreamReset, SessionEndReason.ClientTlsFailed }));
        Assert.Equal(Sessions / 4, proxy.Sessions.Count(session => session is { EndReason: SessionEndReason.Completed, BytesIn: 30_000, BytesOut: 30_000 }));
    }

    /// <summary>One of four ways to leave.</summary>
    private static async Task ComeAndGoAsync(ProxyEnvironment proxy, int number)
    {
        using var socket = await proxy.ConnectAsync();
        await using var client = await OpenAsync(socket, terminates: true);
        var bytes = new byte[30_000];
        await client.WriteAsync(bytes);
        switch (number % 4)
        {
            case 0:
                socket.Reset();
                return;

            case 1:
                socket.Shutdown(SocketShutdown.Send);
                return;

            case 2:
                await client.ReadExactlyAsync(new byte[10]);
                return;

            default:
                await client.ReadExactlyAsync(bytes).AsTask().WaitAsync(Wait.Limit);
                await EndSendingAsync(client, socket);
                Assert.Equal(0, await CountToEndAsync(client));
                return;
        }
    }

    private static async Task<Stream> OpenAsync(Socket socket, bool terminates, string name = "app.example.com")
    {
        var stream = new NetworkStream(socket);
        if (!terminates)
        {
            return stream;
        }

        var ssl = new SslStream(stream, false, (_, _, _, _) => true);
        await ssl.AuthenticateAsClientAsync(name).WaitAsync(Wait.Limit);
        return ssl;
    }

    private static async Task EndSendingAsync(Stream client, Socket socket)
    {
        if (client is SslStream ssl)
        {
            await ssl.ShutdownAsync();
        }

        socket.Shutdown(SocketShutdown.Send);
    }

    private static async Task<long> CountToEndAsync(Stream client)
    {
        var buffer = new byte[65536];
        long total = 0;
        while (await client.ReadAsync(buffer).AsTask().WaitAsync(Wait.Limit) is > 0 and var count)
        {
            total += count;
        }

        return total;
    }
}
