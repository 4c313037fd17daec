using System.Text;
using KestrelStream.Configuration;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;
using static KestrelStream.FunctionalTests.Tls.TlsScene;

namespace KestrelStream.FunctionalTests.Tls;

/// <summary>Every version, suite and group with the real openssl, gnutls-cli and curl, and what a route allows of them.</summary>
public sealed class KeyExchangeTests : IDisposable
{
    private readonly TlsScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task OpenSsl_EveryKindOfKeyExchange(EngineKind engine, TlsEngineKind tlsEngine)
    {
        foreach (var keyType in new[] { TestKeyType.EcdsaP256, TestKeyType.Rsa2048 })
        {
            await using var proxy = await ProxyEnvironment.StartAsync(
                _scene.Config(TestCertificates.Shared.Issue(keyType, ["a.example.com"]), engine: tlsEngine, on: engine));
            var kind = keyType == TestKeyType.Rsa2048 ? "RSA" : "ECDSA";
            string[] suites = [$"ECDHE-{kind}-AES128-GCM-SHA256", $"ECDHE-{kind}-AES256-GCM-SHA384", $"ECDHE-{kind}-CHACHA20-POLY1305"];

            // .NET leaves the last one out of its defaults.
            foreach (var suite in tlsEngine == TlsEngineKind.SslStream ? suites[..2] : suites)
            {
                Assert.Contains($"New, TLSv1.2, Cipher is {suite}", await ConnectAsync(proxy, "a.example.com", "-tls1_2", "-cipher", suite), StringComparison.Ordinal);
            }

            foreach (var suite in new[] { "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256" })
            {
                Assert.Contains($"New, TLSv1.3, Cipher is {suite}", await ConnectAsync(proxy, "a.example.com", "-ciphersuites", suite), StringComparison.Ordinal);
            }

            foreach (var (group, key) in new[] { ("X25519", "X25519, 253 bits"), ("P-256", "ECDH, prime256v1, 256 bits"), ("P-384", "ECDH, secp384r1, 384 bits") })
            {
                Assert.Contains($"Server Temp Key: {key}", await ConnectAsync(proxy, "a.example.com", "-tls1_3", "-groups", group), StringComparison.Ordinal);

                // In TLS 1.2 the client must know the curve of an ECDSA certificate too (RFC 8422 §5.1.1), which would be preferred to P-384.
                if (keyType == TestKeyType.Rsa2048)
                {
                    Assert.Contains($"Server Temp Key: {key}", await ConnectAsync(proxy, "a.example.com", "-tls1_2", "-groups", group), StringComparison.Ordinal);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task GnuTls_EveryKindOfKeyExchange(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var root = _scene.Folder.Write("root.pem", TestCertificates.Shared.Root.ExportCertificatePem());
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config("a.example.com", engine: tlsEngine, on: engine));
        string[] priorities =
        [
            "NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3",
            "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-X25519", "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-SECP256R1", "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-SECP384R1",
            "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+CHACHA20-POLY1305", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-GCM",
        ];
        foreach (var priority in priorities)
        {
            var version = priority.Contains("TLS1.2", StringComparison.Ordinal) ? "(TLS1.2-" : "(TLS1.3-";
            await using var client = ChildProcess.Start(PeerProgram.Find("gnutls-cli", "gnutls-bin"),
            [
                "--port", $"{proxy.EndPoint().Port}", "--sni-hostname", "a.example.com", "--verify-hostname", "a.example.com", "--x509cafile", root, "--priority", priority, "127.0.0.1",
            ]);
            await Wait.UntilAsync(() => client.HasExited || client.Output.Text.Contains(Greeting, StringComparison.Ordinal), $"gnutls-cli {priority}");
            await client.WriteInputAsync(Encoding.ASCII.GetBytes("over and out\n"), close: false);
            await Wait.UntilAsync(() => client.HasExited || client.Output.Text.Contains("over and out", StringComparison.Ordinal), $"gnutls-cli {priority}");
            await client.WriteInputAsync([], close: true);
            var result = await client.WaitForResultAsync(Wait.Limit);

            Assert.True(result.ExitCode == 0, $"{priority}: {result}");
            Assert.Contains(version, result.Output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Curl_EveryVersionAndGroup(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var root = _scene.Folder.Write("root.pem", TestCertificates.Shared.Root.ExportCertificatePem());
        await using var nginx = await NginxProcess.StartAsync(new NginxSite("plain"));
        var config = _scene.Config("a.example.com", engine: tlsEngine, on: engine);
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Clusters = new Dictionary<string, ClusterConfig>
            {
                ["c"] = new() { Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = nginx["plain"].ToString() } } },
            },
        });
        foreach (var version in new[] { "1.2", "1.3" })
        {
            foreach (var group in new[] { "X25519", "P-256", "P-384" })
            {
                var answer = await Curl.GetAsync(
                    "https://a.example.com/", proxy.EndPoint(), "--cacert", root, $"--tlsv{version}", "--tls-max", version, "--curves", version == "1.2" && group != "P-256" ? $"{group}:P-256" : group);
                Assert.Equal("site=plain sni= tls= host=a.example.com", answer.Body);
            }
        }
    }

    [Fact]
    public async Task SuitesByDefault_Aes128First_AndChaCha20ForClientsThatPutItFirst()
    {
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config("a.example.com"));

        Assert.Contains("Cipher is TLS_AES_128_GCM_SHA256", await ConnectAsync(proxy, "a.example.com"), StringComparison.Ordinal);
        Assert.Contains(
            "Cipher is TLS_CHACHA20_POLY1305_SHA256",
            await ConnectAsync(proxy, "a.example.com", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"), StringComparison.Ordinal);

        await using var other = await ProxyEnvironment.StartAsync(_scene.Config("a.example.com", tls => tls with { CipherSuites = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256" }));
        Assert.Contains(
            "Cipher is TLS_AES_256_GCM_SHA384",
            await ConnectAsync(other, "a.example.com", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Groups_AreThoseOfTheRoute()
    {
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config("a.example.com", tls => tls with { Groups = "secp384r1:P-256" }));

        // The client guesses X25519 and is asked for another one.
        Assert.Contains("Server Temp Key: ECDH, secp384r1", await ConnectAsync(proxy, "a.example.com", "-groups", "X25519:P-384"), StringComparison.Ordinal);
        Assert.Contains("alert handshake failure", await ConnectAsync(proxy, "a.example.com", "-groups", "X25519"), StringComparison.Ordinal);
        Assert.Contains("Server Temp Key: ECDH, prime256v1", await ConnectAsync(proxy, "a.example.com", "-tls1_2", "-groups", "P-256"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("auto")]
    [InlineData(null)]
    public async Task Groups_OfOpenSsl_WhereTheRouteNamesNone(string? groups)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config("a.example.com", tls => tls with { Groups = groups }));

        Assert.Contains("Server Temp Key: X25519", await ConnectAsync(proxy, "a.example.com"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("X25519:P-999", "\"P-999\" is not a group of the OpenSSL here; valid: X25519, P-256, P-384")]
    [InlineData("X25519:X25519", "has a group twice")]
    public async Task Groups_ThatOpenSslDoesNotKnow_AreConfigErrors(string groups, string reason)
    {
        var error = await Assert.ThrowsAsync<KestrelStream.Management.StreamProxyConfigException>(
            () => ProxyEnvironment.StartAsync(_scene.Config("a.example.com", tls => tls with { Groups = groups })));

        Assert.Equal("StreamProxy:Routes:all:Tls:Groups", Assert.Single(error.Errors).Path);
        Assert.Contains(reason, error.Errors[0].Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task CipherSuites_AreThoseOfTheRoute_AndLeaveTls12Alone(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(
            _scene.Config("a.example.com", tls => tls with { CipherSuites = "TLS_CHACHA20_POLY1305_SHA256" }, engine: tlsEngine, on: engine));

        Assert.Contains("Cipher is TLS_CHACHA20_POLY1305_SHA256", await ConnectAsync(proxy, "a.example.com"), StringComparison.Ordinal);
        Assert.Contains("alert handshake failure", await ConnectAsync(proxy, "a.example.com", "-ciphersuites", "TLS_AES_128_GCM_SHA256"), StringComparison.Ordinal);
        Assert.Contains("New, TLSv1.2, Cipher is ECDHE-ECDSA", await ConnectAsync(proxy, "a.example.com", "-tls1_2"), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Defaults_AreSafe(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config("a.example.com", engine: tlsEngine, on: engine));

        foreach (var old in new[] { "-tls1", "-tls1_1" })
        {
            var refused = await ConnectAsync(proxy, "a.example.com", old, "-cipher", "ALL:@SECLEVEL=0");
            Assert.DoesNotContain(Greeting, refused, StringComparison.Ordinal);
            Assert.Contains("alert", refused, StringComparison.Ordinal);
        }

        foreach (var version in new[] { "-tls1_2", "-tls1_3" })
        {
            var output = await ConnectAsync(proxy, "a.example.com", version, "-comp", "-sess_out", _scene.Folder["session"]);
            Assert.Contains("Compression: NONE", output, StringComparison.Ordinal);
            Assert.DoesNotContain("Max Early Data: 1", output, StringComparison.Ordinal);
        }

        foreach (var weak in new[] { "aNULL", "eNULL", "3DES", "RC4", "EXPORT" })
        {
            Assert.DoesNotContain(Greeting, await ConnectAsync(proxy, "a.example.com", "-tls1_2", "-cipher", weak + ":@SECLEVEL=0"), StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Renegotiation_ThatTheClientAsksFor_IsRefused(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config("a.example.com", engine: tlsEngine, on: engine));
        await using var client = Start(proxy.EndPoint(), "a.example.com", "-tls1_2");
        await Wait.UntilAsync(() => client.Output.Text.Contains(Greeting, StringComparison.Ordinal), "the handshake");

        // A line that begins with R makes s_client ask for it. It leaves only because it was refused.
        await client.WriteInputAsync("R\n"u8.ToArray(), close: false);
        var result = await client.WaitForResultAsync(Wait.Limit);

        Assert.Contains("RENEGOTIATING", result.Output + result.Error, StringComparison.Ordinal);
        Assert.Matches("no renegotiation|unexpected eof|ssl handshake failure|alert|errno=", result.Error);
    }
}
