using System.Net;
using System.Net.Sockets;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelStream.FunctionalTests.Tls.Upstream;

/// <summary>Whose certificates are taken, on every engine. Nothing of a session ever reaches a destination that was refused.</summary>
public sealed class VerificationTests : IDisposable
{
    private readonly UpstreamPool _pool = new();

    public void Dispose() => _pool.Dispose();

    [Theory]
    [MemberData(nameof(UpstreamPool.EnginesAndVersions), MemberType = typeof(UpstreamPool))]
    public async Task GoodCertificate_IsTaken_AndTheLogSaysHow(EngineKind engine, TlsEngineKind tlsEngine, TlsVersion version)
    {
        await using var upstream = TlsUpstream.Named(UpstreamPool.Certificate);
        await using var proxy = await ProxyEnvironment.StartAsync(_pool.Config(engine, tlsEngine, [upstream.EndPoint], tls => tls with { Protocols = [version] }));

        Assert.Equal($"[{UpstreamPool.Name}]hello", await AskAsync(proxy, "hello"));

        Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync());
        var record = (await _pool.RecordsAsync(1))[0];
        Assert.Equal(version == TlsVersion.Tls13 ? "TLSv1.3" : "TLSv1.2", record.GetProperty("upstream_tls_version").GetString());
        Assert.StartsWith("TLS_", record.GetProperty("upstream_tls_cipher").GetString());
        Assert.True(record.GetProperty("upstream_tls_ms").GetDouble() > 0);
        Assert.Equal(tlsEngine == TlsEngineKind.OpenSsl, record.TryGetProperty("upstream_tls_resumed", out _));
        Assert.Equal((5, 5 + UpstreamPool.Name.Length + 2), (record.GetProperty("bytes_in").GetInt32(), record.GetProperty("bytes_out").GetInt32()));
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task BadCertificate_IsRefused_AndTheLogSaysWhy(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var stranger = new TestCertificates();
        var now = DateTimeOffset.UtcNow;
        (TestCertificate Certificate, string Why)[] bad =
        [
            (stranger.Issue(UpstreamPool.Name), "issuer certificate|PartialChain|UntrustedRoot|self-signed"),
            (TestCertificates.Shared.Issue(TestKeyType.EcdsaP256, [UpstreamPool.Name], now.AddDays(-9), now.AddDays(-2)), "has expired|NotTimeValid"),
            (TestCertificates.Shared.Issue(TestKeyType.EcdsaP256, [UpstreamPool.Name], now.AddDays(2), now.AddDays(9)), "not yet valid|NotTimeValid"),
            (TestCertificates.Shared.Issue("other.example.com"), "hostname mismatch|not for backend"),
            (TestCertificates.Shared.Issue("*.backend.example.com"), "hostname mismatch|not for backend"),
            (TestCertificates.Shared.Issue(TestKeyType.EcdsaP256, [], commonName: UpstreamPool.Name), "hostname mismatch|not for backend"),
            (TestCertificates.Shared.Issue("127.0.0.1"), "hostname mismatch|not for backend"),
            (TestCertificates.SelfSigned(UpstreamPool.Name), "self-signed|UntrustedRoot"),
            (new TestClientAuthority("x").Issue($"CN={UpstreamPool.Name}"), "issuer certificate|PartialChain|UntrustedRoot"),
        ];
        var seen = 0;
        foreach (var (certificate, why) in bad)
        {
            var received = 0;
            await using var upstream = TlsUpstream.Create(TlsUpstream.Options(certificate), async (ssl, _) => received += await ssl.ReadAsync(new byte[100]));
            await using var proxy = await ProxyEnvironment.StartAsync(_pool.Config(engine, tlsEngine, [upstream.EndPoint]));

            Assert.Null(await AskAsync(proxy, "secret"));

            Assert.Equal(SessionEndReason.UpstreamTlsFailed, await proxy.EndReasonAsync());
            var warning = await Wait.ForAsync(() => proxy.Log.Events.FirstOrDefault(e => e.Id == 415), "the warning");
            Assert.Equal(LogLevel.Warning, warning.Level);
            Assert.Matches(why, warning.Message);
            Assert.Contains("shown: CN=", warning.Message, StringComparison.Ordinal);
            var attempt = (await _pool.RecordsAsync(++seen))[^1].GetProperty("attempts")[0];
            Assert.Equal("tls_certificate", attempt.GetProperty("result").GetString());
            Assert.Matches(why, attempt.GetProperty("detail").GetString());
            await Wait.UntilAsync(() => upstream.Active == 0, "the end of the destination's connection");
            Assert.Equal(0, received);
        }
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task AddressAsName_NeedsTheAddressInTheCertificate_AndAsksForNoName(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var good = TlsUpstream.Named(UpstreamPool.Certificate);
        await using var bad = TlsUpstream.Named(TestCertificates.Shared.Issue("localhost", "127.0.0.2"));
        foreach (var (upstream, isGood) in new[] { (good, true), (bad, false) })
        {
            await using var proxy = await ProxyEnvironment.StartAsync(_pool.Config(engine, tlsEngine, [upstream.EndPoint], tls => tls with { ServerName = null }));
            Assert.Equal(isGood ? "[]hello" : null, await AskAsync(proxy, "hello"));
            Assert.Equal(isGood ? SessionEndReason.Completed : SessionEndReason.UpstreamTlsFailed, await proxy.EndReasonAsync());
        }
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task NameOfTheDestination_IsAskedForAndVerified(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var upstream = TlsUpstream.Named(TestCertificates.Shared.Issue("localhost", "host.example.com"));
        var byAddress = _pool.Config(engine, tlsEngine, [upstream.EndPoint], tls => tls with { ServerName = null });
        foreach (var (destination, expected) in new[]
        {
            (new DestinationConfig { Address = $"localhost:{upstream.EndPoint.Port}" }, "[localhost]hello"),
            (new DestinationConfig { Address = upstream.EndPoint.ToString(), Host = "Host.example.com:443" }, "[host.example.com]hello"),
            (new DestinationConfig { Address = upstream.EndPoint.ToString(), Host = "wrong.example.com" }, null),
        })
        {
            await using var proxy = await ProxyEnvironment.StartAsync(byAddress with
            {
                Clusters = new Dictionary<string, ClusterConfig> { ["c"] = byAddress.Clusters["c"] with { Destinations = new Dictionary<string, DestinationConfig> { ["a"] = destination } } },
            });
            Assert.Equal(expected, await AskAsync(proxy, "hello"));
        }
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task VerifyOff_TakesAnything(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var upstream = TlsUpstream.Named(TestCertificates.SelfSigned("whoever.example.com"));
        await using var proxy = await ProxyEnvironment.StartAsync(_pool.Config(engine, tlsEngine, [upstream.EndPoint], tls => tls with { Verify = false, TrustedCertificates = null }));

        Assert.Equal($"[{UpstreamPool.Name}]hello", await AskAsync(proxy, "hello"));
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task SystemAuthorities_DoNotKnowOurs(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var upstream = TlsUpstream.Named(UpstreamPool.Certificate);
        await using var proxy = await ProxyEnvironment.StartAsync(_pool.Config(engine, tlsEngine, [upstream.EndPoint], tls => tls with { TrustedCertificates = null }));

        Assert.Null(await AskAsync(proxy, "hello"));
        Assert.Equal(SessionEndReason.UpstreamTlsFailed, await proxy.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task SelfSigned_ThatIsTrusted_IsTaken(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var certificate = TestCertificates.SelfSigned(UpstreamPool.Name);
        await using var upstream = TlsUpstream.Named(certificate);
        _pool.Folder.Write("pinned.pem", certificate.LeafPem);
        await using var proxy = await ProxyEnvironment.StartAsync(_pool.Config(engine, tlsEngine, [upstream.EndPoint], tls => tls with { TrustedCertificates = _pool.Folder["pinned.pem"] }));

        Assert.Equal($"[{UpstreamPool.Name}]hello", await AskAsync(proxy, "hello"));
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Reload_WithOtherAuthorities_HoldsForTheNextSession(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var stranger = new TestCertificates();
        await using var upstream = TlsUpstream.Named(UpstreamPool.Certificate);
        var config = _pool.Config(engine, tlsEngine, [upstream.EndPoint], cluster: c => c with { HealthCheck = new HealthCheckConfig { Passive = new PassiveHealthCheckConfig { Enabled = false } } });
        await using var proxy = await ProxyEnvironment.StartAsync(config);
        Assert.NotNull(await AskAsync(proxy, "one"));
        Assert.NotNull(await AskAsync(proxy, "two"));

        // The same file with other contents: no session that was begun before may be gone on with.
        _pool.Folder.Write("ca.pem", stranger.Root.ExportCertificatePem() + "\n");
        Assert.True((await proxy.ReloadAsync(config with { ShutdownTimeout = TimeSpan.FromSeconds(3) })).IsApplied);
        Assert.Null(await AskAsync(proxy, "three"));

        // A damaged file changes nothing.
        _pool.Folder.Write("ca.pem", "-----BEGIN CERTIFICATE-----\n");
        var rejected = await proxy.ReloadAsync(config with { ShutdownTimeout = TimeSpan.FromSeconds(4) });
        Assert.Equal("StreamProxy:Clusters:c:Tls:TrustedCertificates", Assert.Single(rejected.Errors).Path);
        Assert.Null(await AskAsync(proxy, "four"));

        _pool.Folder.Write("ca.pem", TestCertificates.Shared.Root.ExportCertificatePem() + "\n");
        Assert.True((await proxy.ReloadAsync(config with { ShutdownTimeout = TimeSpan.FromSeconds(5) })).IsApplied);
        Assert.NotNull(await AskAsync(proxy, "five"));
    }

    /// <summary>Null = the session was reset.</summary>
    private static async Task<string?> AskAsync(ProxyEnvironment proxy, string question)
    {
        using var client = await proxy.TryConnectAsync();
        if (client is null)
        {
            return null;
        }

        try
        {
            await client.SendAllAsync(Encoding.ASCII.GetBytes(question));
            client.Shutdown(SocketShutdown.Send);
            return Encoding.ASCII.GetString(await client.ReceiveToEndAsync());
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown or SocketError.NotConnected)
        {
            return null;
        }
    }
}
