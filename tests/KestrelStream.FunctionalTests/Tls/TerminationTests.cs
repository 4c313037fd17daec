using System.Collections.Concurrent;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Configuration;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.FunctionalTests.Tls;

/// <summary>TLS that ends in the proxy: ends of streams, certificates by route, hellos that lie.</summary>
public sealed class TerminationTests : IDisposable
{
    private const byte UnexpectedMessage = 10;
    private const byte IllegalParameter = 47;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task BothDirectionsAtOnce_EveryByteArrives_AndEndsWithCloseNotify(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var payload = RandomNumberGenerator.GetBytes(4 * 1024 * 1024);
        var sha = Convert.ToHexString(SHA256.HashData(payload));
        var uploaded = new TaskCompletionSource<(long, string)>();
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            var read = socket.HashToEndAsync();
            await socket.SendAllAsync(payload);
            socket.Shutdown(SocketShutdown.Send);
            uploaded.SetResult(await read);
        });
        await using var proxy = await ProxyEnvironment.StartAsync(Terminating(engine, tlsEngine, upstream));
        await using var client = await HandshakeAsync(proxy, "a.example.com");

        var download = Task.Run(async () =>
        {
            var all = new MemoryStream();
            await client.CopyToAsync(all);
            return Convert.ToHexString(SHA256.HashData(all.ToArray()));
        });
        await client.WriteAsync(payload);

        // Not before it has read the end: .NET's own ShutdownAsync is not safe beside a read that decrypts.
        Assert.Equal(sha, await download.WaitAsync(Wait.Limit));
        await client.ShutdownAsync();
        Assert.Equal((payload.Length, sha), await uploaded.Task.WaitAsync(Wait.Limit));
        Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync());
        Assert.Equal((payload.Length, payload.Length), (proxy.Sessions.Single().BytesIn, proxy.Sessions.Single().BytesOut));
    }

    /// <summary>Our close_notify is made while what the client sends is decrypted.</summary>
    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task DestinationEndsInTheMiddleOfAnUpload_UploadArrivesWhole(EngineKind engine, TlsEngineKind tlsEngine)
    {
        const int Sessions = 300;
        var payload = RandomNumberGenerator.GetBytes(1024 * 1024);
        var sha = Convert.ToHexString(SHA256.HashData(payload));
        var uploads = new ConcurrentQueue<(long, string)>();
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            var buffer = new byte[16 * 1024];
            var count = 0L;
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            for (var end = Random.Shared.Next(payload.Length); await socket.ReceiveAsync(buffer) is > 0 and var received;)
            {
                hash.AppendData(buffer, 0, received);
                count += received;
                if (count >= end)
                {
                    end = int.MaxValue;
                    socket.Shutdown(SocketShutdown.Send);
                }
            }

            uploads.Enqueue((count, Convert.ToHexString(hash.GetHashAndReset())));
        });
        await using var proxy = await ProxyEnvironment.StartAsync(Terminating(engine, tlsEngine, upstream));
        for (var i = 0; i < Sessions; i++)
        {
            await using var client = await HandshakeAsync(proxy, "a.example.com");
            var download = Task.Run(async () => await client.ReadAsync(new byte[1]));
            await client.WriteAsync(payload);
            Assert.Equal(0, await download.WaitAsync(Wait.Limit));
            await client.ShutdownAsync();
            Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync(i));
        }

        await Wait.UntilAsync(() => uploads.Count == Sessions, "the last upload to be read");
        Assert.All(uploads, upload => Assert.Equal((payload.Length, sha), upload));
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task ClientSendsCloseNotify_AnswerStillArrives(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            var request = await socket.ReceiveToEndAsync();
            await socket.SendAllAsync(new byte[request.Length * 100]);
        });
        await using var proxy = await ProxyEnvironment.StartAsync(Terminating(engine, tlsEngine, upstream));
        await using var client = await HandshakeAsync(proxy, "a.example.com");

        await client.WriteAsync(new byte[1000]);
        await client.ShutdownAsync();
        var all = new MemoryStream();
        await client.CopyToAsync(all);

        Assert.Equal(100_000, all.Length);
        Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task ClientEndsWithoutCloseNotify_DestinationIsReset(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var ended = new TaskCompletionSource<bool>();
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            await socket.ReceiveExactlyAsync(5);
            ended.SetResult(await socket.EndsWithResetAsync());
        });
        await using var proxy = await ProxyEnvironment.StartAsync(Terminating(engine, tlsEngine, upstream));
        using var socket = await proxy.ConnectAsync();
        var client = await HandshakeAsync(socket, "a.example.com");
        await client.WriteAsync("hello"u8.ToArray());

        socket.Shutdown(SocketShutdown.Send);

        Assert.True(await ended.Task.WaitAsync(Wait.Limit));
        Assert.Equal(SessionEndReason.ClientReset, await proxy.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task DestinationResets_ClientIsReset(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            await socket.ReceiveExactlyAsync(5);
            socket.Reset();
        });
        await using var proxy = await ProxyEnvironment.StartAsync(Terminating(engine, tlsEngine, upstream));
        using var socket = await proxy.ConnectAsync();
        var client = await HandshakeAsync(socket, "a.example.com");
        await client.WriteAsync("hello"u8.ToArray());

        var error = await Assert.ThrowsAsync<IOException>(async () => await client.ReadExactlyAsync(new byte[1]));
        Assert.Equal(SocketError.ConnectionReset, (error.InnerException as SocketException)?.SocketErrorCode);
        Assert.Equal(SessionEndReason.UpstreamReset, await proxy.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task CertificateIsChosenByRouteAndName(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = Terminating(engine, tlsEngine, upstream);
        var (path, key) = TestCertificates.Shared.Issue("b.example.com", "*.c.example.com").WritePem(_folder, "b.pem", "b.key");
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Certificates = new Dictionary<string, CertificateConfig>(config.Certificates) { ["b"] = new() { Path = path, KeyPath = key } },
            Routes = new Dictionary<string, RouteConfig>(config.Routes)
            {
                ["bc"] = config.Routes["all"] with
                {
                    Match = new RouteMatch { Sni = ["b.example.com", "*.c.example.com"] },
                    Tls = new RouteTlsConfig { Mode = TlsMode.Terminate, Certificates = ["a", "b"] },
                },
            },
        });

        foreach (var (name, expected) in new[] { ("a.example.com", "a.example.com"), ("b.example.com", "b.example.com"), ("x.c.example.com", "b.example.com"), ("unknown.example.com", "a.example.com") })
        {
            await using var client = await HandshakeAsync(proxy, name);
            using var certificate = new X509Certificate2(client.RemoteCertificate!);
            Assert.True(certificate.MatchesHostname(expected), $"{name}: {certificate.Subject}");
        }
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task HelloOverManyRecords_IsTerminatedUnderItsOwnRoute(EngineKind engine, TlsEngineKind tlsEngine)
    {
        // SslStream's own name lookup sees one record only; the route must not depend on it.
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(Terminating(engine, tlsEngine, upstream));
        using var socket = await proxy.ConnectAsync();
        using var ssl = new SslStream(new ReframingStream(new NetworkStream(socket)), false, (_, _, _, _) => true);

        await ssl.AuthenticateAsClientAsync("a.example.com").WaitAsync(Wait.Limit);
        await ssl.WriteAsync("ping"u8.ToArray());
        var answer = new byte[4];
        await ssl.ReadExactlyAsync(answer);

        Assert.Equal("ping"u8.ToArray(), answer);
        Assert.Equal("a.example.com", proxy.Sessions.Single().ServerName);
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task SecondHelloWithAnotherName_IsRefused(EngineKind engine, TlsEngineKind tlsEngine)
    {
        // In between: nothing; change_cipher_spec; a warning alert, early data, both of which OpenSSL lets pass.
        await SecondHelloIsRefusedAsync(engine, tlsEngine, []);
        await SecondHelloIsRefusedAsync(engine, tlsEngine, [0x14, 3, 3, 0, 1, 1]);
        await SecondHelloIsRefusedAsync(engine, tlsEngine, [0x15, 3, 3, 0, 2, 1, 0x5a]);

        // SslStream's guard looks at the hello before OpenSSL sees what comes before it; alone, OpenSSL stops at early data that was not announced.
        byte[] earlyData = [0x14, 3, 3, 0, 1, 1, 0x17, 3, 3, 0, 20, .. new byte[20]];
        await (tlsEngine == TlsEngineKind.OpenSsl
            ? SecondHelloIsRefusedAsync(engine, tlsEngine, earlyData, UnexpectedMessage, SessionEndReason.ClientTlsFailed)
            : SecondHelloIsRefusedAsync(engine, tlsEngine, earlyData));
    }

    private async Task SecondHelloIsRefusedAsync(EngineKind engine, TlsEngineKind tlsEngine, byte[] between, byte alert = IllegalParameter, SessionEndReason reason = SessionEndReason.ProtocolViolation)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(Terminating(engine, tlsEngine, upstream));
        using var socket = await proxy.ConnectAsync();

        // No key share that the server knows: it answers HelloRetryRequest.
        await socket.SendAllAsync(RetryHello("a.example.com"));
        var header = await socket.ReceiveExactlyAsync(5);
        Assert.Equal(22, header[0]);
        await socket.ReceiveExactlyAsync(header[3] << 8 | header[4]);
        await socket.SendAllAsync((byte[])[.. between, .. RetryHello("b.example.com")]);

        var rest = await socket.ReceiveToEndAsync();
        Assert.Equal([0x15, 3, 3, 0, 2, 2, alert], rest[^7..]);
        socket.Dispose();
        Assert.Equal(reason, await proxy.EndReasonAsync());
        Assert.Equal(0, upstream.Count);
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task HandshakeThatStops_TimesOut(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = Terminating(engine, tlsEngine, upstream);
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Listeners = new Dictionary<string, ListenerConfig> { ["public"] = new() { Address = "127.0.0.1:0", HandshakeTimeout = TimeSpan.FromMilliseconds(500) } },
        });
        using var socket = await proxy.ConnectAsync();
        await socket.SendAllAsync(RetryHello("a.example.com"));

        Assert.True(await socket.EndsWithResetAsync());
        Assert.Equal(SessionEndReason.ClientTlsTimeout, await proxy.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task ClientWithoutACommonVersion_GetsAnAlert(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = Terminating(engine, tlsEngine, upstream, tls => tls with { Protocols = [TlsVersion.Tls13] });
        await using var proxy = await ProxyEnvironment.StartAsync(config);
        using var socket = await proxy.ConnectAsync();
        using var ssl = new SslStream(new NetworkStream(socket), false, (_, _, _, _) => true);

        await Assert.ThrowsAsync<AuthenticationException>(() => ssl.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "a.example.com", EnabledSslProtocols = SslProtocols.Tls12 }));
        Assert.Equal(SessionEndReason.ClientTlsFailed, await proxy.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task CertificateSwappedUnderLoad_NoHandshakeFailsAndSessionsGoOn(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = Terminating(engine, tlsEngine, upstream);
        await using var proxy = await ProxyEnvironment.StartAsync(config);
        await using var kept = await HandshakeAsync(proxy, "a.example.com");
        using var stop = new CancellationTokenSource();
        var load = Task.Run(async () =>
        {
            var serials = new HashSet<string>();
            while (!stop.IsCancellationRequested)
            {
                await using var client = await HandshakeAsync(proxy, "a.example.com");
                serials.Add(client.RemoteCertificate!.GetSerialNumberString());
            }

            return serials;
        });

        string last = "";
        for (var i = 0; i < 3; i++)
        {
            var next = TestCertificates.Shared.Issue("a.example.com");
            last = next.Leaf.SerialNumber;
            File.WriteAllText(Path.Combine(_folder.Path, "a.key"), next.KeyPem);
            File.WriteAllText(Path.Combine(_folder.Path, "a.pem"), next.ChainPem);
            await Wait.UntilAsync(
                () => proxy.Log.Events.Count(e => e.Message.Contains("reloaded", StringComparison.OrdinalIgnoreCase)) > i, "the certificate to be swapped");
        }

        await using (var fresh = await HandshakeAsync(proxy, "a.example.com"))
        {
            Assert.Equal(last, fresh.RemoteCertificate!.GetSerialNumberString());
        }

        await stop.CancelAsync();
        Assert.True((await load.WaitAsync(Wait.Limit)).Count >= 2);
        await kept.WriteAsync(new byte[] { 5 });
        Assert.Equal(5, kept.ReadByte());
    }

    private static byte[] RetryHello(string name) => new ClientHelloBuilder()
        .WithServerName(name)
        .WithCipherSuites(0x13, 0x01, 0x13, 0x02)
        .WithVersions(0x0304)
        .WithExtension(ClientHelloBuilder.GroupsExtension, [0, 2, 0, 0x17])
        .WithExtension(ClientHelloBuilder.SignatureAlgorithmsExtension, [0, 4, 4, 3, 8, 4])
        .WithExtension(ClientHelloBuilder.KeyShareExtension, [0, 0])
        .Build();

    private static async Task<SslStream> HandshakeAsync(ProxyEnvironment proxy, string name) => await HandshakeAsync(await proxy.ConnectAsync(), name);

    private static async Task<SslStream> HandshakeAsync(Socket socket, string name)
    {
        var ssl = new SslStream(new NetworkStream(socket, ownsSocket: true), false, (_, _, _, _) => true);
        await ssl.AuthenticateAsClientAsync(name).WaitAsync(Wait.Limit);
        return ssl;
    }

    private StreamProxyConfig Terminating(EngineKind engine, TlsEngineKind tlsEngine, ScriptedUpstream upstream, Func<RouteTlsConfig, RouteTlsConfig>? tls = null)
    {
        var (path, key) = TestCertificates.Shared.Issue("a.example.com").WritePem(_folder, "a.pem", "a.key");
        return ProxyEnvironment.OneRoute(engine, upstream.EndPoint, r => r with
        {
            Tls = (tls ?? (t => t))(new RouteTlsConfig { Mode = TlsMode.Terminate, Certificates = ["a"] }),
        }) with
        {
            Tls = new TlsConfig { Engine = tlsEngine },
            Certificates = new Dictionary<string, CertificateConfig> { ["a"] = new() { Path = path, KeyPath = key } },
        };
    }

    /// <summary>Cuts the first record that is written into records of 40 bytes.</summary>
    private sealed class ReframingStream(Stream inner) : Stream
    {
        private bool _isFirst = true;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!_isFirst)
            {
                await inner.WriteAsync(buffer, cancellationToken);
                return;
            }

            _isFirst = false;
            foreach (var piece in buffer[5..].ToArray().Chunk(40))
            {
                await inner.WriteAsync((byte[])[0x16, 3, 1, 0, (byte)piece.Length, .. piece], cancellationToken);
            }
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => inner.ReadAsync(buffer, offset, count, cancellationToken);

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
