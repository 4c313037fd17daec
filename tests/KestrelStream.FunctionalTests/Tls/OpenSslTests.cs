using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using KestrelStream.Configuration;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Tls;

/// <summary>What OpenSSL on the loop does beyond SslStream, seen by the real <c>openssl s_client</c>.</summary>
public sealed class OpenSslTests : IDisposable
{
    private readonly TlsScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Resumption_SameName_Works_AlsoAfterAReloadThatLeavesThePolicyAlone(string version)
    {
        var config = _scene.Config("a.example.com");
        await using var proxy = await ProxyEnvironment.StartAsync(config);

        Assert.False(TlsScene.IsResumed(await TlsScene.ConnectAsync(proxy, "a.example.com", version, "-sess_out", _scene.Folder["session"])));
        Assert.True(TlsScene.IsResumed(await TlsScene.ConnectAsync(proxy, "a.example.com", version, "-sess_in", _scene.Folder["session"], "-sess_out", _scene.Folder["session"])));
        Assert.True((await proxy.ReloadAsync(config with { ShutdownTimeout = TimeSpan.FromSeconds(3) })).IsApplied);
        Assert.True(TlsScene.IsResumed(await TlsScene.ConnectAsync(proxy, "a.example.com", version, "-sess_in", _scene.Folder["session"])));
    }

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Resumption_OtherNameOfTheSameRouteAndCertificate_IsRefused(string version)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config("*.example.com"));

        Assert.False(TlsScene.IsResumed(await TlsScene.ConnectAsync(proxy, "a.example.com", version, "-sess_out", _scene.Folder["session"])));
        Assert.False(TlsScene.IsResumed(await TlsScene.ConnectAsync(proxy, "b.example.com", version, "-sess_in", _scene.Folder["session"])));
        Assert.False(TlsScene.IsResumed(await TlsScene.ConnectAsync(proxy, null, version, "-sess_in", _scene.Folder["session"])));
        Assert.True(TlsScene.IsResumed(await TlsScene.ConnectAsync(proxy, "a.example.com", version, "-sess_in", _scene.Folder["session"])));
    }

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Resumption_OtherRouteOfTheSameCertificate_IsRefused(string version)
    {
        var config = _scene.Config("*.example.com");
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Routes = new Dictionary<string, RouteConfig>(config.Routes)
            {
                ["b"] = config.Routes["all"] with { Match = new RouteMatch { Sni = ["b.example.com"] } },
            },
        });

        Assert.False(TlsScene.IsResumed(await TlsScene.ConnectAsync(proxy, "a.example.com", version, "-sess_out", _scene.Folder["session"])));
        Assert.False(TlsScene.IsResumed(await TlsScene.ConnectAsync(proxy, "b.example.com", version, "-sess_in", _scene.Folder["session"])));
    }

    [Fact]
    public async Task Resumption_AfterTheCertificateWasSwapped_IsRefused()
    {
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config("a.example.com"));
        await TlsScene.ConnectAsync(proxy, "a.example.com", "-sess_out", _scene.Folder["session"]);

        TestCertificates.Shared.Issue("a.example.com").WritePem(_scene.Folder, "a.pem", "a.key");
        await Wait.UntilAsync(() => proxy.Log.Events.Any(e => e.Message.Contains("reloaded", StringComparison.Ordinal)), "the certificate to be swapped");

        Assert.False(TlsScene.IsResumed(await TlsScene.ConnectAsync(proxy, "a.example.com", "-sess_in", _scene.Folder["session"])));
    }

    [Fact]
    public async Task Resumption_WithCiphers_Works_AndClientOrderCanDecide()
    {
        const string server = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384";
        const string client = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256";
        await using var serverOrder = await ProxyEnvironment.StartAsync(_scene.Config("a.example.com", tls => tls with { Ciphers = server }));

        var first = await TlsScene.ConnectAsync(serverOrder, "a.example.com", "-tls1_2", "-cipher", client, "-sess_out", _scene.Folder["session"]);
        Assert.Contains("Cipher is ECDHE-ECDSA-AES128-GCM-SHA256", first, StringComparison.Ordinal);
        Assert.True(TlsScene.IsResumed(await TlsScene.ConnectAsync(serverOrder, "a.example.com", "-tls1_2", "-cipher", client, "-sess_in", _scene.Folder["session"])));

        // Only now: it writes another certificate to the same files, which the first proxy would take.
        await using var clientOrder = await ProxyEnvironment.StartAsync(_scene.Config("a.example.com", tls => tls with { Ciphers = server, PreferServerCiphers = false }));
        Assert.Contains("Cipher is ECDHE-ECDSA-AES256-GCM-SHA384", await TlsScene.ConnectAsync(clientOrder, "a.example.com", "-tls1_2", "-cipher", client), StringComparison.Ordinal);
        Assert.Contains("handshake failure", await TlsScene.ConnectAsync(serverOrder, "a.example.com", "-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256", "RSA")]
    [InlineData("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDSA")]
    [InlineData("-tls1_3", "-sigalgs", "rsa_pss_rsae_sha256:RSA+SHA256:ECDSA+SHA384", "RSA")]
    [InlineData("-tls1_3", "-sigalgs", "ECDSA+SHA256", "ECDSA")]
    public async Task TwoKindsOfKeysForOneName_ClientGetsTheOneItCanUse(string version, string option, string value, string expected)
    {
        var config = _scene.Config("a.example.com");
        var (path, key) = TestCertificates.Shared.Issue(TestKeyType.Rsa2048, ["a.example.com"]).WritePem(_scene.Folder, "rsa.pem", "rsa.key");
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Certificates = new Dictionary<string, CertificateConfig>(config.Certificates) { ["rsa"] = new() { Path = path, KeyPath = key } },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = config.Routes["all"] with { Tls = config.Routes["all"].Tls! with { Certificates = ["a", "rsa"] } } },
        });

        foreach (var name in new[] { "a.example.com", null })
        {
            var output = await TlsScene.ConnectAsync(proxy, name, version, option, value);
            Assert.Contains(TlsScene.Greeting, output, StringComparison.Ordinal);
            Assert.Matches($"Peer signature type: {(expected == "RSA" ? "RSA" : "ECDSA")}", output);
        }
    }

    [Fact]
    public async Task Alpn_IsExactlyAsConfigured()
    {
        await using var none = await ProxyEnvironment.StartAsync(_scene.Config("a.example.com"));
        await using var some = await ProxyEnvironment.StartAsync(_scene.Config("a.example.com", tls => tls with { Alpn = ["postgresql", "other"] }));

        Assert.Contains("No ALPN negotiated", await TlsScene.ConnectAsync(none, "a.example.com", "-alpn", "h2,http/1.1"), StringComparison.Ordinal);
        Assert.Contains("ALPN protocol: postgresql", await TlsScene.ConnectAsync(some, "a.example.com", "-alpn", "other,postgresql"), StringComparison.Ordinal);
        Assert.Contains("No ALPN negotiated", await TlsScene.ConnectAsync(some, "a.example.com"), StringComparison.Ordinal);
        Assert.Contains("alert no application protocol", await TlsScene.ConnectAsync(some, "a.example.com", "-alpn", "h2"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task KeyUpdates_AreAnswered()
    {
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config("a.example.com"));
        await using var client = TlsScene.Start(proxy.EndPoint(), "a.example.com", "-tls1_3");
        await client.Output.WaitForAsync(line => line.Contains(TlsScene.Greeting, StringComparison.Ordinal), Wait.Limit);

        for (var i = 0; i < 3; i++)
        {
            // A command only when it is all that s_client reads at once.
            var seen = client.Error.Lines.Count;
            await client.WriteInputAsync("K\n"u8.ToArray(), close: false);
            Assert.NotNull(await client.Error.WaitForAsync(line => line.Contains("KEYUPDATE", StringComparison.Ordinal), Wait.Limit, after: seen));
            await client.WriteInputAsync(System.Text.Encoding.ASCII.GetBytes($"line {i}\n"), close: false);
            Assert.NotNull(await client.Output.WaitForAsync(line => line.Contains($"line {i}", StringComparison.Ordinal), Wait.Limit));
        }
    }

    [Fact]
    public async Task ClientWithNagle_DoesNotWaitForADelayedAcknowledgement()
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config("a.example.com", upstream: upstream));
        var fastest = TimeSpan.MaxValue;
        for (var i = 0; i < 10; i++)
        {
            var socket = await proxy.ConnectAsync();
            socket.NoDelay = false;
            await using var ssl = new SslStream(new NetworkStream(socket, ownsSocket: true), false, (_, _, _, _) => true);
            await ssl.AuthenticateAsClientAsync("a.example.com");
            var started = System.Diagnostics.Stopwatch.GetTimestamp();
            await ssl.WriteAsync("ping\n"u8.ToArray());
            await ssl.ReadExactlyAsync(new byte[5]);
            var took = System.Diagnostics.Stopwatch.GetElapsedTime(started);
            fastest = took < fastest ? took : fastest;
        }

        Assert.True(fastest < TimeSpan.FromMilliseconds(30), $"{fastest}");
    }

    [Fact]
    public async Task BadRecord_GetsItsAlert_AndDestinationIsReset()
    {
        var isReset = new TaskCompletionSource<bool>();
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            await socket.ReceiveExactlyAsync(5);
            isReset.SetResult(await socket.EndsWithResetAsync());
        });
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config("a.example.com", upstream: upstream));
        using var socket = await proxy.ConnectAsync();
        var ssl = new SslStream(new NetworkStream(socket), false, (_, _, _, _) => true);
        await ssl.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "a.example.com", EnabledSslProtocols = SslProtocols.Tls12 });
        await ssl.WriteAsync("hello"u8.ToArray());

        await socket.SendAllAsync((byte[])[0x17, 3, 3, 0, 40, .. RandomNumberGenerator.GetBytes(40)]);

        // TLS 1.2 shows what a record is: an alert (21), encrypted; and then a FIN, not a reset.
        var answer = await socket.ReceiveToEndAsync();
        Assert.Equal(21, answer[0]);
        socket.Dispose();
        Assert.True(await isReset.Task.WaitAsync(Wait.Limit));
        Assert.Equal(SessionEndReason.ProtocolViolation, await proxy.EndReasonAsync());
    }

    [Fact]
    public async Task ClientAndDestinationThatReadSlowly_GetEveryByte()
    {
        var payload = RandomNumberGenerator.GetBytes(12 * 1024 * 1024);
        var sha = Convert.ToHexString(SHA256.HashData(payload));
        var uploaded = new TaskCompletionSource<(long, string)>();
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            var sending = socket.SendAllAsync(payload);
            uploaded.SetResult(await socket.HashToEndAsync(() => Task.Delay(1)));
            await sending;
            socket.Shutdown(SocketShutdown.Send);
        });
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config("a.example.com", upstream: upstream));
        await using var ssl = new SslStream(new NetworkStream(await proxy.ConnectAsync(), ownsSocket: true), false, (_, _, _, _) => true);
        await ssl.AuthenticateAsClientAsync("a.example.com");

        var upload = Task.Run(async () => await ssl.WriteAsync(payload));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[100_000];
        for (var left = payload.Length; left > 0; await Task.Delay(1))
        {
            var count = await ssl.ReadAsync(buffer).AsTask().WaitAsync(Wait.Limit);
            Assert.NotEqual(0, count);
            hash.AppendData(buffer, 0, count);
            left -= count;
        }

        // Not before all has been read: .NET's own ShutdownAsync is not safe beside a read that decrypts.
        await upload.WaitAsync(Wait.Limit);
        await ssl.ShutdownAsync().WaitAsync(Wait.Limit);
        Assert.Equal(0, await ssl.ReadAsync(buffer).AsTask().WaitAsync(Wait.Limit));
        Assert.Equal(sha, Convert.ToHexString(hash.GetHashAndReset()));
        Assert.Equal((payload.Length, sha), await uploaded.Task.WaitAsync(Wait.Limit));
        Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync());
        Assert.Equal((payload.Length, payload.Length), (proxy.Sessions.Single().BytesIn, proxy.Sessions.Single().BytesOut));
    }

    /// <summary>The ticket of TLS 1.3 then waits for what is sent next, whatever that is: records are numbered, and none may be missed.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ClientThatGoesOnWithItsFinished_ReadsAllThatIsSent(bool answers)
    {
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            await socket.ReceiveExactlyAsync(4);
            if (answers)
            {
                await socket.SendAllAsync("pong"u8.ToArray());
            }

            socket.Shutdown(SocketShutdown.Send);
            await socket.ReceiveToEndAsync();
        });
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config("a.example.com", upstream: upstream));
        await using var wire = new ScriptedUpstream(client => CarryAsync(client, proxy.EndPoint()));
        for (var i = 0; i < 5; i++)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(wire.EndPoint);
            await using var ssl = new SslStream(new NetworkStream(socket), false, (_, _, _, _) => true);
            await ssl.AuthenticateAsClientAsync("a.example.com");
            Assert.Equal(i, upstream.Count);
            await ssl.WriteAsync("ping"u8.ToArray());

            var answer = new byte[10];
            Assert.Equal(answers ? 4 : 0, await ssl.ReadAtLeastAsync(answer, answer.Length, throwOnEndOfStream: false).AsTask().WaitAsync(Wait.Limit));
            await ssl.ShutdownAsync().WaitAsync(Wait.Limit);
            Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync(i));
        }
    }

    [Fact]
    public async Task Ticket_OfAClientThatGoesOnWithItsFinished_IsGoodForTheNextSession()
    {
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config("a.example.com"));
        await using var wire = new ScriptedUpstream(client => CarryAsync(client, proxy.EndPoint()));
        foreach (var resumes in new[] { false, true, true })
        {
            string[] session = ["-sess_out", _scene.Folder["session"], .. resumes ? (string[])["-sess_in", _scene.Folder["session"]] : []];
            await using var client = TlsScene.Start(wire.EndPoint, "a.example.com", ["-tls1_3", .. session]);

            // The handshake is over for the client, and nobody else has heard of it.
            Assert.NotNull(await client.Output.WaitForAsync(line => line.Contains(", TLSv1.3, Cipher is", StringComparison.Ordinal), Wait.Limit));
            await client.WriteInputAsync("ping\n"u8.ToArray(), close: false);
            Assert.NotNull(await client.Output.WaitForAsync(line => line.Contains(TlsScene.Greeting, StringComparison.Ordinal), Wait.Limit));
            await client.WriteInputAsync([], close: true);
            var output = (await client.WaitForResultAsync(Wait.Limit)).Output;
            Assert.Equal(resumes, TlsScene.IsResumed(output));
            Assert.Contains("New Session Ticket arrived", output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Certificate_ThatTheSecurityLevelForbids_IsAConfigError()
    {
        var error = await Assert.ThrowsAsync<KestrelStream.Management.StreamProxyConfigException>(
            () => ProxyEnvironment.StartAsync(_scene.Config("a.example.com", tls => tls with { Ciphers = "HIGH:@SECLEVEL=5" })));

        Assert.Equal("StreamProxy:Routes:all:Tls:Certificates:0", Assert.Single(error.Errors).Path);
        Assert.Contains("ee key too small", error.Errors[0].Message, StringComparison.Ordinal);
    }

    /// <summary>The end of a handshake of TLS 1.3 waits on the way for what the client sends next: two encrypted records go on together.</summary>
    private static async Task CarryAsync(Socket client, IPEndPoint proxy)
    {
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await server.ConnectAsync(proxy);
        var answers = Task.Run(async () =>
        {
            var answer = new byte[65536];
            for (int count; (count = await server.ReceiveAsync(answer)) > 0;)
            {
                await client.SendAllAsync(answer.AsSpan(0, count).ToArray());
            }

            client.Shutdown(SocketShutdown.Send);
        });
        var buffer = new byte[65536];
        await server.SendAllAsync(buffer.AsSpan(0, await client.ReceiveAsync(buffer)).ToArray());
        var (held, isOver) = (0, false);
        for (int count; (count = await client.ReceiveAsync(buffer.AsMemory(held))) > 0;)
        {
            held += count;
            isOver |= CountEncrypted(buffer.AsSpan(0, held)) >= 2;
            if (isOver)
            {
                await server.SendAllAsync(buffer.AsSpan(0, held).ToArray());
                held = 0;
            }
        }

        server.Shutdown(SocketShutdown.Send);
        await answers;
    }

    /// <summary>Whole records of type application_data (RFC 8446 §5.1: type, version, two bytes of length).</summary>
    private static int CountEncrypted(ReadOnlySpan<byte> bytes)
    {
        var records = 0;
        while (bytes.Length >= 5 && bytes.Length >= 5 + (bytes[3] << 8 | bytes[4]))
        {
            records += bytes[0] == 23 ? 1 : 0;
            bytes = bytes[(5 + (bytes[3] << 8 | bytes[4]))..];
        }

        return records;
    }
}
