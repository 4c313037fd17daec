using System.Net.Sockets;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.ProxyProtocol;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.ProxyProtocol;

/// <summary>What destinations are told of TLS that ended here.</summary>
public sealed class TerminatedHeaderTests : IDisposable
{
    private static readonly TestClientAuthority s_authority = new("Clients");

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Handshake_VersionCipherAlpnAndCertificate_AreInTheHeader(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var first = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            var buffer = new byte[4096];
            first.TrySetResult(buffer[..await socket.ReceiveAsync(buffer)]);
        });
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine, upstream.EndPoint, ClientCertificateMode.Require));
        var certificate = s_authority.Issue("CN=right, OU=Team");
        var (path, key) = certificate.WritePem(_folder, "client.pem", "client.key");

        await OpenSslClient.HandshakeAsync(proxy.EndPoint(), "www.example.com", "-tls1_3", "-alpn", "postgresql", "-cert", path, "-cert_chain", path, "-key", key);

        var bytes = await first.Task.WaitAsync(Wait.Limit);
        Assert.Equal(ProxyHeaderStatus.Header, ProxyHeaderParser.Parse(bytes, out var header, out _, out _));
        Assert.Equal("postgresql", Encoding.ASCII.GetString(header!.Alpn!.Value.Span));
        Assert.Equal("www.example.com", header.Authority);
        Assert.Equal("TLSv1.3", header.Tls!.Version);
        Assert.StartsWith("TLS_AES_", header.Tls.Cipher, StringComparison.Ordinal);
        Assert.Equal("right", header.Tls.CommonName);
        Assert.Equal((7, 0u), (header.Tls.Client, header.Tls.Verify));
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Handshake_WithoutCertificate_NothingIsVerified(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var first = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            var buffer = new byte[4096];
            first.TrySetResult(buffer[..await socket.ReceiveAsync(buffer)]);
        });
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine, upstream.EndPoint, ClientCertificateMode.Allow));

        await OpenSslClient.HandshakeAsync(proxy.EndPoint(), "www.example.com", "-tls1_2");

        Assert.Equal(ProxyHeaderStatus.Header, ProxyHeaderParser.Parse(await first.Task.WaitAsync(Wait.Limit), out var header, out _, out _));
        Assert.Equal((1, 1u, null, "TLSv1.2"), (header!.Tls!.Client, header.Tls.Verify, header.Tls.CommonName, header.Tls.Version));
        Assert.Null(header.Alpn);
    }

    /// <summary>HAProxy reads the whole chain of TLVs, checksum included, and finds ours in it.</summary>
    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Haproxy_BehindTermination_FindsNameAndId(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var at = LoopbackPort.TakeEndPoint();
        await using var haproxy = await HaproxyProcess.StartAsync(at, $"""
            frontend f
                mode http
                bind {at} accept-proxy
                http-request return status 200 content-type text/plain lf-string "[%[src]] [%[fc_pp_authority]] [%[fc_pp_unique_id]]"
            """);
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine, at, ClientCertificateMode.None));

        var answer = await Curl.GetAsync("https://www.example.com/", proxy.EndPoint(), "--insecure");

        Assert.Matches(@"^\[127\.0\.0\.1\] \[www\.example\.com\] \[[0-9a-f]{16}-[0-9a-f]+\]$", answer.Body.Trim());
    }

    private StreamProxyConfig Config(EngineKind engine, TlsEngineKind tlsEngine, System.Net.EndPoint upstream, ClientCertificateMode mode)
    {
        var (path, key) = TestCertificates.Shared.Issue("www.example.com").WritePem(_folder, "server.pem", "server.key");
        var clients = mode == ClientCertificateMode.None ? null : new ClientCertificatesConfig { Mode = mode, TrustedCertificates = _folder.Write("ca.pem", s_authority.RootPem) };
        var config = ProxyEnvironment.OneRoute(engine, upstream, route => route with
        {
            Tls = new RouteTlsConfig { Mode = TlsMode.Terminate, Certificates = ["a"], Alpn = ["postgresql", "http/1.1"], ClientCertificates = clients },
        });
        return ProxyPool.Sending(config, ProxyProtocolVersion.V2, ProxyProtocolTlv.Ssl, ProxyProtocolTlv.Alpn, ProxyProtocolTlv.Authority, ProxyProtocolTlv.UniqueId, ProxyProtocolTlv.Crc32c) with
        {
            Tls = new TlsConfig { Engine = tlsEngine },
            Certificates = new Dictionary<string, CertificateConfig> { ["a"] = new() { Path = path, KeyPath = key } },
        };
    }
}
