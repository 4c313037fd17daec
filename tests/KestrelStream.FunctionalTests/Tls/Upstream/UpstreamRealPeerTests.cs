using System.Net;
using System.Net.Sockets;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Tls.Upstream;

/// <summary>TLS with real servers, which say what they have seen: nginx and <c>openssl s_server</c>. On every engine.</summary>
public sealed class UpstreamRealPeerTests : IDisposable
{
    private static readonly TestClientAuthority s_authority = new("Proxies");

    private readonly UpstreamPool _pool = new();

    public void Dispose() => _pool.Dispose();

    [Theory]
    [MemberData(nameof(UpstreamPool.EnginesAndVersions), MemberType = typeof(UpstreamPool))]
    public async Task Nginx_SeesSessionsThatAreGoneOnWith(EngineKind engine, TlsEngineKind tlsEngine, TlsVersion version)
    {
        var at = LoopbackPort.TakeEndPoint();
        await using var nginx = await StartNginxAsync(at, "$ssl_session_reused");
        var config = _pool.Config(engine, tlsEngine, [at], tls => tls with { Protocols = [version] }) with { EventLoops = 1 };
        await using var proxy = await ProxyEnvironment.StartAsync(config);

        Assert.Equal([".", "r", "r"], [await GetAsync(proxy), await GetAsync(proxy), await GetAsync(proxy)]);

        // Another name is another session; a reload that leaves the section alone keeps what it has, one that turns it off does not use it.
        Assert.True((await proxy.ReloadAsync(config with { ShutdownTimeout = TimeSpan.FromSeconds(3) })).IsApplied);
        Assert.Equal("r", await GetAsync(proxy));
        Assert.True((await proxy.ReloadAsync(With(config, tls => tls with { SessionResumption = false }))).IsApplied);
        Assert.Equal([".", "."], [await GetAsync(proxy), await GetAsync(proxy)]);
        Assert.True((await proxy.ReloadAsync(With(config, tls => tls with { ServerName = "127.0.0.1" }))).IsApplied);
        Assert.Equal(".", await GetAsync(proxy));
    }

    [Theory]
    [MemberData(nameof(UpstreamPool.EnginesAndVersions), MemberType = typeof(UpstreamPool))]
    public async Task Nginx_ThatWantsACertificate_GetsOurs_AlsoAfterItWasSwapped(EngineKind engine, TlsEngineKind tlsEngine, TlsVersion version)
    {
        var at = LoopbackPort.TakeEndPoint();
        _pool.Folder.Write("clients.pem", s_authority.RootPem);
        await using var nginx = await StartNginxAsync(
            at, "$ssl_client_verify $ssl_client_s_dn $ssl_server_name", $"ssl_client_certificate {_pool.Folder["clients.pem"]}; ssl_verify_client on; ssl_verify_depth 2;");
        s_authority.Issue("CN=first").WritePem(_pool.Folder, "client.pem", "client.key");
        var without = _pool.Config(engine, tlsEngine, [at], tls => tls with { Protocols = [version] }) with { EventLoops = 1 };
        await using var proxy = await ProxyEnvironment.StartAsync(With(without, tls => tls with { Certificate = "client" }) with
        {
            Certificates = new Dictionary<string, CertificateConfig>(without.Certificates) { ["client"] = new() { Path = _pool.Folder["client.pem"], KeyPath = _pool.Folder["client.key"] } },
        });

        Assert.Equal($"SUCCESS CN=first {UpstreamPool.Name}", await GetAsync(proxy));
        Assert.Equal($"SUCCESS CN=first {UpstreamPool.Name}", await GetAsync(proxy));

        s_authority.Issue("CN=second").WritePem(_pool.Folder, "client.pem", "client.key");
        await Wait.UntilAsync(() => proxy.Log.Events.Any(e => e.Message.Contains("Certificate client reloaded", StringComparison.Ordinal)), "the certificate to be swapped");
        Assert.Equal($"SUCCESS CN=second {UpstreamPool.Name}", await GetAsync(proxy));

        // Without one nginx shakes hands, and says no in HTTP.
        Assert.True((await proxy.ReloadAsync(without)).IsApplied);
        Assert.Contains("No required SSL certificate was sent", await GetAsync(proxy), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(UpstreamPool.EnginesAndVersions), MemberType = typeof(UpstreamPool))]
    public async Task OpenSslServer_SeesSessions_Alpn_AndWhatIsMissing(EngineKind engine, TlsEngineKind tlsEngine, TlsVersion version)
    {
        var at = LoopbackPort.TakeEndPoint();
        _pool.Folder.Write("clients.pem", s_authority.RootPem);
        UpstreamPool.Certificate.WritePem(_pool.Folder, "backend.pem", "backend.key");
        string[] arguments =
        [
            "s_server", "-accept", at.ToString(), "-cert", _pool.Folder["backend.pem"], "-cert_chain", _pool.Folder["backend.pem"], "-key", _pool.Folder["backend.key"],
            "-alpn", "postgresql", "-www",
        ];
        var config = _pool.Config(engine, tlsEngine, [at], tls => tls with { Protocols = [version], Alpn = ["other", "postgresql"] }) with { EventLoops = 1 };
        await using (ChildProcess.Start(PeerProgram.Find("openssl", "openssl"), arguments))
        {
            await LoopbackPort.WaitUntilOpenAsync(at, () => false);
            await using var proxy = await ProxyEnvironment.StartAsync(config);
            var first = await GetAsync(proxy);
            var second = await GetAsync(proxy);

            Assert.Matches("New, TLSv1", first);
            Assert.Matches("Reused, TLSv1", second);
            Assert.All((await _pool.RecordsAsync(2)).Take(2), record => Assert.Equal("postgresql", record.GetProperty("upstream_alpn").GetString()));
        }

        // A server that insists on a certificate: with TLS 1.2 it says so in the handshake, with 1.3 behind it.
        await using (ChildProcess.Start(PeerProgram.Find("openssl", "openssl"), [.. arguments, "-Verify", "2", "-CAfile", _pool.Folder["clients.pem"], "-verify_return_error"]))
        {
            await LoopbackPort.WaitUntilOpenAsync(at, () => false);
            await using var proxy = await ProxyEnvironment.StartAsync(config);
            using var client = await proxy.TryConnectAsync();
            if (client is not null)
            {
                Assert.True(await client.EndsWithResetAsync());
            }

            var expected = tlsEngine == TlsEngineKind.SslStream && version == TlsVersion.Tls13 ? SessionEndReason.UpstreamReset : SessionEndReason.UpstreamTlsFailed;
            Assert.Equal(expected, await proxy.EndReasonAsync());
            if (tlsEngine == TlsEngineKind.OpenSsl)
            {
                Assert.Matches("alert (certificate required|handshake failure)", (await _pool.RecordsAsync(3))[2].ToString());
            }
        }
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Ciphers_AreWhatIsOffered(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var at = LoopbackPort.TakeEndPoint();
        await using var nginx = await StartNginxAsync(at, "$ssl_cipher");
        await using var proxy = await ProxyEnvironment.StartAsync(_pool.Config(
            engine, tlsEngine, [at], tls => tls with { Protocols = [TlsVersion.Tls12], Ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305" }));

        Assert.Equal("ECDHE-ECDSA-CHACHA20-POLY1305", await GetAsync(proxy));
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task CipherSuites_AreWhatIsOffered(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var at = LoopbackPort.TakeEndPoint();
        await using var nginx = await StartNginxAsync(at, "$ssl_ciphers");
        await using var proxy = await ProxyEnvironment.StartAsync(_pool.Config(
            engine, tlsEngine, [at], tls => tls with { Protocols = [TlsVersion.Tls13], CipherSuites = "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256" }));

        Assert.StartsWith("TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256", await GetAsync(proxy), StringComparison.Ordinal);
        Assert.DoesNotContain("AES_256", await GetAsync(proxy), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Groups_AreWhatIsOffered()
    {
        var at = LoopbackPort.TakeEndPoint();
        await using var nginx = await StartNginxAsync(at, "$ssl_curves", "ssl_ecdh_curve X25519:P-384;");
        foreach (var version in new[] { TlsVersion.Tls12, TlsVersion.Tls13 })
        {
            // Its certificate is of P-256, which TLS 1.2 must offer for that.
            await using var proxy = await ProxyEnvironment.StartAsync(_pool.Config(
                EngineKind.EventLoop, TlsEngineKind.OpenSsl, [at], tls => tls with { Protocols = [version], Groups = "P-384:prime256v1" }));

            Assert.Equal("secp384r1:prime256v1", await GetAsync(proxy));
        }
    }

    private static StreamProxyConfig With(StreamProxyConfig config, Func<UpstreamTlsConfig, UpstreamTlsConfig> tls) => config with
    {
        Clusters = new Dictionary<string, ClusterConfig> { ["c"] = config.Clusters["c"] with { Tls = tls(config.Clusters["c"].Tls!) } },
    };

    /// <summary>The body of an answer.</summary>
    private static async Task<string> GetAsync(ProxyEnvironment proxy)
    {
        using var client = await proxy.ConnectAsync();
        await client.SendAllAsync("GET / HTTP/1.0\r\n\r\n"u8.ToArray());
        var answer = Encoding.ASCII.GetString(await client.ReceiveToEndAsync());
        return answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
    }

    private async Task<RawNginx> StartNginxAsync(IPEndPoint at, string answer, string more = "")
    {
        UpstreamPool.Certificate.WritePem(_pool.Folder, "backend.pem", "backend.key");
        return await RawNginx.StartAsync([at], $$"""
            http { server { listen {{at}} ssl; ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:s:1m; ssl_certificate {{_pool.Folder["backend.pem"]}};
            ssl_certificate_key {{_pool.Folder["backend.key"]}}; {{more}} location / { return 200 "{{answer}}"; } } }
            """);
    }
}
