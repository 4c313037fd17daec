using System.Buffers;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Management;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelStream.FunctionalTests.Tls;

/// <summary>Certificates of clients, on every engine, shown by the real <c>openssl s_client</c>.</summary>
public sealed class ClientCertificateTests : IDisposable
{
    private const string Greeting = "hello from the destination";

    private static readonly TestClientAuthority s_authority = new("Clients");
    private static readonly TestClientAuthority s_other = new("Strangers");

    private readonly TempFolder _folder = new();
    private readonly ScriptedUpstream _upstream = new(async socket =>
    {
        await socket.SendAllAsync(Encoding.ASCII.GetBytes(Greeting + "\n"));
        await socket.ReceiveToEndAsync();
        socket.Shutdown(SocketShutdown.Send);
    });

    public static TheoryData<EngineKind, TlsEngineKind, string> EnginesAndVersions
    {
        get
        {
            var all = new TheoryData<EngineKind, TlsEngineKind, string>();
            foreach (var row in Engines.AllTls)
            {
                all.Add((EngineKind)row[0], (TlsEngineKind)row[1], "-tls1_2");
                all.Add((EngineKind)row[0], (TlsEngineKind)row[1], "-tls1_3");
            }

            return all;
        }
    }

    public void Dispose()
    {
        _upstream.DisposeAsync().AsTask().Wait(Wait.Limit);
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(EnginesAndVersions))]
    public async Task Require_OnlyAGoodCertificateGetsIn(EngineKind engine, TlsEngineKind tlsEngine, string version)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine, ClientCertificateMode.Require));

        await TakesAsync(proxy, version, Show(s_authority.Issue("CN=right")));
        await RefusesAsync(proxy, version, [], "no certificate|peer did not return a certificate", tlsEngine);
        await RefusesBadOnesAsync(proxy, version, tlsEngine);
        Assert.Equal((1, 4, 0), (Handshakes(proxy, "ok"), Handshakes(proxy, "client_certificate"), Handshakes(proxy, "failed")));
    }

    [Theory]
    [MemberData(nameof(EnginesAndVersions))]
    public async Task Allow_NoneGetsIn_ABadOneDoesNot(EngineKind engine, TlsEngineKind tlsEngine, string version)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine, ClientCertificateMode.Allow));

        await TakesAsync(proxy, version, Show(s_authority.Issue("CN=right")));
        await TakesAsync(proxy, version, []);
        await RefusesBadOnesAsync(proxy, version, tlsEngine);
    }

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Crl_RevokedCertificateIsRefused_AndSoIsEveryoneOnceTheListHasExpired(string version)
    {
        var (revoked, good) = (s_authority.Issue("CN=revoked"), s_authority.Issue("CN=good"));
        _folder.Write("crl.pem", s_authority.Crls(haveExpired: false, revoked));
        var config = Config(EngineKind.EventLoop, TlsEngineKind.OpenSsl, ClientCertificateMode.Allow, clients => clients with { Crl = _folder["crl.pem"] });
        await using var proxy = await ProxyEnvironment.StartAsync(config);

        await TakesAsync(proxy, version, [.. Show(good), "-sess_out", _folder["session"]]);
        await RefusesAsync(proxy, version, Show(revoked), "certificate revoked", TlsEngineKind.OpenSsl);

        // Read at a reload, although the configuration says the same as before; what was issued under the old list ends with it.
        _folder.Write("crl.pem", s_authority.Crls(haveExpired: true, revoked));
        Assert.True((await proxy.ReloadAsync(config)).IsApplied);
        await RefusesAsync(proxy, version, [.. Show(good), .. Resume()], "CRL has expired", TlsEngineKind.OpenSsl);
    }

    [Theory]
    [MemberData(nameof(EnginesAndVersions))]
    public async Task Depth_CountsAuthoritiesBelowTheRoot(EngineKind engine, TlsEngineKind tlsEngine, string version)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine, ClientCertificateMode.Require, clients => clients with { Depth = 0 }));

        await RefusesAsync(proxy, version, Show(s_authority.Issue("CN=deep")), "chain too long|authorities below the root", tlsEngine);
    }

    [Theory]
    [MemberData(nameof(EnginesAndVersions))]
    public async Task Resumption_AfterTrustHasChanged_IsRefused(EngineKind engine, TlsEngineKind tlsEngine, string version)
    {
        var client = Show(s_authority.Issue("CN=right"));
        var config = Config(engine, tlsEngine, ClientCertificateMode.Require);
        await using var proxy = await ProxyEnvironment.StartAsync(config);
        await TakesAsync(proxy, version, [.. client, "-sess_out", _folder["session"]]);

        // A reload that leaves the trust alone leaves its sessions alone.
        Assert.True((await proxy.ReloadAsync(config with { ShutdownTimeout = TimeSpan.FromSeconds(3) })).IsApplied);
        var output = await TakesAsync(proxy, version, [.. client, .. Resume()]);
        Assert.Equal(tlsEngine == TlsEngineKind.OpenSsl, IsResumed(output));

        _folder.Write("ca.pem", s_other.RootPem);
        Assert.True((await proxy.ReloadAsync(config)).IsApplied);
        await RefusesAsync(proxy, version, [.. client, .. Resume()], ".", tlsEngine);
        Assert.False(IsResumed(await TakesAsync(proxy, version, [.. Show(s_other.Issue("CN=other")), .. Resume()])));
    }

    [Theory]
    [MemberData(nameof(EnginesAndVersions))]
    public async Task Resumption_FromARouteWithoutClientCertificates_DoesNotSkipThem(EngineKind engine, TlsEngineKind tlsEngine, string version)
    {
        // The same name and the same certificate on three listeners: nothing but the rule for clients tells the routes apart.
        var config = Config(engine, tlsEngine, ClientCertificateMode.Require);
        var required = config.Routes["all"];
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Listeners = new[] { "public", "open", "allow" }.ToDictionary(id => id, _ => new ListenerConfig { Address = "127.0.0.1:0" }),
            Routes = new Dictionary<string, RouteConfig>
            {
                ["required"] = required with { Listeners = ["public"] },
                ["open"] = required with { Listeners = ["open"], Tls = required.Tls! with { ClientCertificates = null } },
                ["allow"] = required with
                {
                    Listeners = ["allow"],
                    Tls = required.Tls! with { ClientCertificates = required.Tls!.ClientCertificates! with { Mode = ClientCertificateMode.Allow } },
                },
            },
        });

        foreach (var listener in new[] { "open", "allow" })
        {
            await TakesAsync(proxy, version, ["-sess_out", _folder["session"]], listener: listener);
            Assert.True(tlsEngine == TlsEngineKind.SslStream || File.Exists(_folder["session"]));
            await RefusesAsync(proxy, version, Resume(), "no certificate|peer did not return a certificate", tlsEngine);
            File.Delete(_folder["session"]);
        }
    }

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Resumption_KeepsTheIdentity_UntilTheCertificateExpires(string version)
    {
        var until = DateTimeOffset.UtcNow.AddSeconds(4);
        var client = Show(s_authority.Issue("CN=short", until));
        var config = Config(EngineKind.EventLoop, TlsEngineKind.OpenSsl, ClientCertificateMode.Require);
        await using var proxy = await ProxyEnvironment.StartAsync(config with { AccessLog = new AccessLogConfig { Path = _folder["access.log"] } });

        await TakesAsync(proxy, version, [.. client, "-sess_out", _folder["session"]]);
        Assert.True(IsResumed(await TakesAsync(proxy, version, [.. client, .. Resume()])));
        await Wait.UntilAsync(() => DateTimeOffset.UtcNow > until.AddSeconds(1), "the certificate to expire");
        await RefusesAsync(proxy, version, [.. client, .. Resume()], "certificate has expired", TlsEngineKind.OpenSsl);

        var records = await RecordsAsync(3);
        Assert.Equal([false, true], records.Take(2).Select(record => record.GetProperty("tls_resumed").GetBoolean()));
        Assert.All(records.Take(2), record => Assert.Equal("CN=short", record.GetProperty("client_certificate_subject").GetString()));
        Assert.False(records[2].TryGetProperty("client_certificate_subject", out _));
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task HelloCutAcrossRecords_IsNoWayAround(EngineKind engine, TlsEngineKind tlsEngine)
    {
        // A parser that sees one record only finds no name, and would take the open route for it.
        var config = Config(engine, tlsEngine, ClientCertificateMode.Require);
        var required = config.Routes["all"];
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Routes = new Dictionary<string, RouteConfig>
            {
                ["required"] = required with { Match = new RouteMatch { Sni = ["a.example.com"] } },
                ["open"] = required with { Tls = required.Tls! with { ClientCertificates = null } },
            },
        });
        await TakesAsync(proxy, "-tls1_3", [], "open.example.com");
        foreach (var size in new[] { 1, 7, 60 })
        {
            using var socket = await proxy.ConnectAsync();
            using var ssl = new System.Net.Security.SslStream(new CutHelloStream(socket, size), false, (_, _, _, _) => true);
            await Assert.ThrowsAnyAsync<Exception>(async () =>
            {
                await ssl.AuthenticateAsClientAsync("a.example.com").WaitAsync(Wait.Limit);
                await ssl.ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(Wait.Limit);
            });
            socket.Dispose();
            Assert.Equal(SessionEndReason.ClientTlsFailed, await proxy.EndReasonAsync(proxy.Sessions.Count - 1));
            Assert.Equal("required", proxy.Sessions.Last().Route);
        }

        Assert.Equal(1, _upstream.Count);
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task AccessLog_SaysWhoItWas_OnOneLine(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var certificate = s_authority.Issue("CN=\"evil\"\", \n{\"\"id\"\":1}\u2028\", O=Example");
        var config = Config(engine, tlsEngine, ClientCertificateMode.Require);
        await using var proxy = await ProxyEnvironment.StartAsync(config with { AccessLog = new AccessLogConfig { Path = _folder["access.log"] } });

        await TakesAsync(proxy, "-tls1_3", Show(certificate));

        var record = Assert.Single(await RecordsAsync(1));
        Assert.Equal(certificate.Leaf.Subject, record.GetProperty("client_certificate_subject").GetString());
        Assert.Equal("CN=Clients Intermediate", record.GetProperty("client_certificate_issuer").GetString());
        Assert.Equal("DNS:client.example.com, URI:spiffe://example.com/client, email:client@example.com, IP Address:192.0.2.7", record.GetProperty("client_certificate_san").GetString());
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(certificate.Leaf.RawData)), record.GetProperty("client_certificate_sha256").GetString());
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task AskedFor_NamesOfTheAuthoritiesAreSent(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine, ClientCertificateMode.Allow));

        Assert.Contains("CN = Clients Root", await TakesAsync(proxy, "-tls1_2", []), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Files_ThatAreNoGood_AreConfigErrors_AtStartAndReload(EngineKind engine, TlsEngineKind tlsEngine)
    {
        const string path = "StreamProxy:Routes:all:Tls:ClientCertificates:TrustedCertificates";
        var config = Config(engine, tlsEngine, ClientCertificateMode.Require);
        await using var proxy = await ProxyEnvironment.StartAsync(config);
        foreach (var (content, reason) in new[]
        {
            (null, "does not exist"),
            ("", "is empty"),
            ("no certificate\n", "no certificate"),
            (s_authority.RootPem[..200], "cut off or damaged"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "damaged"),
            (s_authority.IntermediatePem, "no root"),
        })
        {
            File.Delete(_folder["ca.pem"]);
            if (content is not null)
            {
                _folder.Write("ca.pem", content);
            }

            var error = Assert.Single((await proxy.ReloadAsync(config)).Errors);
            Assert.Equal(path, error.Path);
            Assert.Contains(reason, error.Message, StringComparison.Ordinal);
            var atStart = await Assert.ThrowsAsync<StreamProxyConfigException>(() => ProxyEnvironment.StartAsync(config));
            Assert.Equal(path, Assert.Single(atStart.Errors).Path);
        }

        await RefusesAsync(proxy, "-tls1_3", [], "no certificate|peer did not return a certificate", tlsEngine);
    }

    [Theory]
    [InlineData("no list\n", "no revocation list")]
    [InlineData("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", "OpenSSL refuses it")]
    public async Task Crl_ThatIsNoGood_IsAConfigError(string content, string reason)
    {
        _folder.Write("crl.pem", content);
        var error = await Assert.ThrowsAsync<StreamProxyConfigException>(() => ProxyEnvironment.StartAsync(
            Config(EngineKind.EventLoop, TlsEngineKind.OpenSsl, ClientCertificateMode.Require, clients => clients with { Crl = _folder["crl.pem"] })));

        Assert.Equal("StreamProxy:Routes:all:Tls:ClientCertificates:Crl", Assert.Single(error.Errors).Path);
        Assert.Contains(reason, error.Errors[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Crl_WithSslStream_IsAConfigError()
    {
        _folder.Write("crl.pem", s_authority.Crls());
        var error = await Assert.ThrowsAsync<StreamProxyConfigException>(() => ProxyEnvironment.StartAsync(
            Config(EngineKind.EventLoop, TlsEngineKind.SslStream, ClientCertificateMode.Require, clients => clients with { Crl = _folder["crl.pem"] })));

        Assert.Equal("StreamProxy:Routes:all:Tls:ClientCertificates:Crl", Assert.Single(error.Errors).Path);
    }

    [Fact]
    public async Task Crl_WhereAnotherEngineRunsThanTheFileAsksFor_IsRefusedAtReload()
    {
        _folder.Write("crl.pem", s_authority.Crls());
        await using var proxy = await ProxyEnvironment.StartAsync(Config(EngineKind.Sockets, TlsEngineKind.Auto, ClientCertificateMode.Require));

        var result = await proxy.ReloadAsync(
            Config(EngineKind.EventLoop, TlsEngineKind.Auto, ClientCertificateMode.Require, clients => clients with { Crl = _folder["crl.pem"] }));

        Assert.Equal("StreamProxy:Routes:all:Tls:ClientCertificates:Crl", Assert.Single(result.Errors).Path);
    }

    private static bool IsResumed(string output) => Regex.IsMatch(output, "^Reused, ", RegexOptions.Multiline);

    private static int Handshakes(ProxyEnvironment proxy, string result)
    {
        var text = new ArrayBufferWriter<byte>();
        PrometheusText.Write(proxy.Services.GetRequiredService<StreamProxyMetrics>(), process: null, text);
        var match = Regex.Match(Encoding.UTF8.GetString(text.WrittenSpan), $$"""kestrelstream_tls_handshakes_total\{listener="public",result="{{result}}"\} (\d+)""");
        return int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
    }

    private async Task RefusesBadOnesAsync(ProxyEnvironment proxy, string version, TlsEngineKind tlsEngine)
    {
        await RefusesAsync(proxy, version, Show(s_other.Issue("CN=stranger")), "self-signed certificate|unable to get|UntrustedRoot|PartialChain", tlsEngine);
        await RefusesAsync(proxy, version, Show(s_authority.Issue("CN=late", DateTimeOffset.UtcNow.AddDays(-1))), "certificate has expired|NotTimeValid", tlsEngine);
        await RefusesAsync(proxy, version, Show(s_authority.Issue("CN=server", isServer: true)), "unsuitable certificate purpose|NotValidForUsage", tlsEngine);
    }

    private async Task<string> TakesAsync(ProxyEnvironment proxy, string version, string[] arguments, string name = "a.example.com", string listener = "public")
    {
        var output = await ConnectAsync(proxy, name, listener, [version, .. arguments]);
        Assert.Contains(Greeting, output, StringComparison.Ordinal);
        Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync(proxy.Sessions.Count - 1));
        return output;
    }

    /// <summary>Without a byte of the destination, and the log says why.</summary>
    private async Task RefusesAsync(ProxyEnvironment proxy, string version, string[] arguments, string reason, TlsEngineKind tlsEngine)
    {
        var connections = _upstream.Count;
        var logged = proxy.Log.Events.Count;
        var output = await ConnectAsync(proxy, "a.example.com", "public", [version, .. arguments]);
        Assert.DoesNotContain(Greeting, output, StringComparison.Ordinal);
        Assert.Equal(SessionEndReason.ClientTlsFailed, await proxy.EndReasonAsync(proxy.Sessions.Count - 1));
        Assert.Equal(connections, _upstream.Count);
        var failed = await Wait.ForAsync(() => proxy.Log.Events.Skip(logged).FirstOrDefault(e => e.Message.Contains("handshake on route", StringComparison.Ordinal)), "the log");
        Assert.Matches(reason, failed.Message);

        // SslStream cannot send one once keys are in force.
        Assert.Equal(tlsEngine == TlsEngineKind.OpenSsl, output.Contains("SSL alert number", StringComparison.Ordinal));
    }

    private async Task<string> ConnectAsync(ProxyEnvironment proxy, string name, string listener, string[] arguments)
    {
        await using var client = ChildProcess.Start(
            PeerProgram.Find("openssl", "openssl"), ["s_client", "-connect", proxy.EndPoint(listener).ToString(), "-servername", name, .. arguments]);
        await Wait.UntilAsync(() => client.HasExited || client.Output.Text.Contains(Greeting, StringComparison.Ordinal), "openssl s_client");
        await client.WriteInputAsync([], close: true);
        var result = await client.WaitForResultAsync(Wait.Limit);
        return result.Output + result.Error;
    }

    private string[] Show(TestCertificate certificate)
    {
        var name = certificate.Leaf.SerialNumber;
        return
        [
            "-cert", _folder.Write($"{name}.pem", certificate.LeafPem),
            "-key", _folder.Write($"{name}.key", certificate.KeyPem),
            "-cert_chain", _folder.Write($"{name}.chain", certificate.ChainPem[certificate.LeafPem.Length..]),
        ];
    }

    /// <summary>SslStream gives clients of TLS 1.2 that are asked for certificates no ticket to come back with.</summary>
    private string[] Resume() => File.Exists(_folder["session"]) ? ["-sess_in", _folder["session"]] : [];

    private async Task<List<JsonElement>> RecordsAsync(int count)
    {
        var lines = await Wait.ForAsync(() => _folder.Lines("access.log") is { } all && all.Length >= count ? all : null, "the access log");
        return [.. lines.Select(line => JsonSerializer.Deserialize<JsonElement>(line))];
    }

    private StreamProxyConfig Config(
        EngineKind engine, TlsEngineKind tlsEngine, ClientCertificateMode mode, Func<ClientCertificatesConfig, ClientCertificatesConfig>? clients = null)
    {
        _folder.Write("ca.pem", s_authority.RootPem);
        var (path, key) = TestCertificates.Shared.Issue("*.example.com").WritePem(_folder, "server.pem", "server.key");
        return ProxyEnvironment.OneRoute(engine, _upstream.EndPoint, r => r with
        {
            Tls = new RouteTlsConfig
            {
                Mode = TlsMode.Terminate,
                Certificates = ["a"],
                ClientCertificates = (clients ?? (c => c))(new ClientCertificatesConfig { Mode = mode, TrustedCertificates = _folder["ca.pem"] }),
            },
        }) with
        {
            Tls = new TlsConfig { Engine = tlsEngine },
            Certificates = new Dictionary<string, CertificateConfig> { ["a"] = new() { Path = path, KeyPath = key } },
        };
    }

    /// <summary>Cuts the first record that is written into smaller ones.</summary>
    private sealed class CutHelloStream(Socket socket, int size) : NetworkStream(socket)
    {
        private bool _isFirst = true;

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!_isFirst)
            {
                await base.WriteAsync(buffer, cancellationToken);
                return;
            }

            _isFirst = false;
            var records = buffer[5..].ToArray().Chunk(size).SelectMany(piece => (byte[])[0x16, 3, 1, 0, (byte)piece.Length, .. piece]);
            await base.WriteAsync(records.ToArray(), cancellationToken);
        }
    }
}
