using System.Net;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using KestrelStream.Tls;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelStream.FunctionalTests.Acme;

/// <summary>Certificates from a real ACME server, which asks the proxy's own listeners.</summary>
public sealed class PebbleTests
{
    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task TlsAlpn_HalfOfNoncesAreRejected_CertificateIsIssued(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var setup = await AcmeSetup.StartAsync(o => o with { NonceReject = 50 });
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await setup.StartProxyAsync(upstream.EndPoint, c => c with { Engine = engine, Tls = new TlsConfig { Engine = tlsEngine } });

        using var certificate = await AcmeSetup.WaitForCertificateAsync(proxy);

        Assert.Contains("Pebble", certificate.Issuer, StringComparison.Ordinal);
        Assert.Equal([AcmeSetup.Name, "example.com"], certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single().EnumerateDnsNames());

        // From several places for each name.
        Assert.Equal(
            ["example.com", AcmeSetup.Name],
            proxy.Sessions.Where(session => session.EndReason == SessionEndReason.ChallengeAnswered).Select(session => session.ServerName).Distinct().Order());
        var issuance = AcmeSetup.Issuance(proxy);
        Assert.Equal((IssuanceState.Issued, 1L, 0L, null), (issuance.State, issuance.Issued, issuance.Failed, issuance.LastError));
        await using var session = await AcmeSetup.HandshakeAsync(await proxy.ConnectAsync(), AcmeSetup.Name);
        await session.WriteAsync(new byte[] { 7 });
        Assert.Equal(7, session.ReadByte());
    }

    [Fact]
    public async Task Http_ChallengeIsAnsweredOnItsOwnPort_CertificateIsIssued()
    {
        await using var setup = await AcmeSetup.StartAsync();
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await setup.StartProxyAsync(upstream.EndPoint, c => c with
        {
            HttpChallenge = new HttpChallengeConfig { Address = $"127.0.0.1:{setup.HttpPort}", RedirectToHttps = true },
            Certificates = new Dictionary<string, CertificateConfig> { ["www"] = new() { Acme = setup.Acme with { Challenge = AcmeChallenge.Http01, KeyType = AcmeKeyType.Rsa2048 } } },
        });

        using var certificate = await AcmeSetup.WaitForCertificateAsync(proxy);

        Assert.Contains("Pebble", certificate.Issuer, StringComparison.Ordinal);
        Assert.Equal(2048, certificate.GetRSAPublicKey()!.KeySize);
        var redirect = await Curl.GetAsync("http://www.example.com/a?b=c", new IPEndPoint(IPAddress.Loopback, setup.HttpPort), "--include");
        Assert.Equal(308, redirect.Status);
        Assert.Contains("Location: https://www.example.com/a?b=c", redirect.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ChallengeFails_ErrorIsShown_AndTriedAgainUntilItWorks()
    {
        await using var setup = await AcmeSetup.StartAsync(isKnown: false);
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await setup.StartProxyAsync(upstream.EndPoint);

        await Wait.UntilAsync(() => AcmeSetup.Issuance(proxy).Failed >= 2, "the second failure");

        var issuance = AcmeSetup.Issuance(proxy);
        Assert.Contains("example.com is not proved", issuance.LastError, StringComparison.Ordinal);
        Assert.Contains(proxy.Log.Events, e => e.Id == EventIds.AcmeFailed && e.Level == LogLevel.Error && e.Message.Contains("is not proved", StringComparison.Ordinal));
        Assert.False(File.Exists(setup.StoredCertificate));

        await setup.Dns.SetHostsAsync($"127.0.0.1 {AcmeSetup.Name} example.com");
        using var certificate = await AcmeSetup.WaitForCertificateAsync(proxy);
        Assert.Null(AcmeSetup.Issuance(proxy).LastError);
    }

    /// <summary>Pebble takes a while before it asks, and the proxy ends meanwhile.</summary>
    [Fact]
    public async Task RestartInTheMiddleOfAnOrder_GoesOnWithIt()
    {
        await using var setup = await AcmeSetup.StartAsync(o => o with { Sleep = 3 });
        await using var upstream = ScriptedUpstream.Echo();
        await using (await setup.StartProxyAsync(upstream.EndPoint))
        {
            await Wait.UntilAsync(() => setup.Pebble.Log.Lines.Any(line => line.Contains("/chalZ/", StringComparison.Ordinal)), "the challenge to be accepted");
        }

        Assert.True(File.Exists(setup.StoredOrder));
        Assert.False(File.Exists(setup.StoredCertificate));

        await using var proxy = await setup.StartProxyAsync(upstream.EndPoint);
        using var certificate = await AcmeSetup.WaitForCertificateAsync(proxy);

        Assert.False(File.Exists(setup.StoredOrder));
        Assert.Equal(1, setup.Pebble.Log.Lines.Count(line => line.Contains("POST /sign-me-up", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Issued_IsShownByTheVeryNextHandshake_AndOtherNamesMeanAnotherOne()
    {
        await using var setup = await AcmeSetup.StartAsync();
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await setup.StartProxyAsync(upstream.EndPoint);
        await Wait.UntilAsync(() => AcmeSetup.Issuance(proxy).Issued == 1, "the certificate");

        using var first = await AcmeSetup.GetCertificateAsync(proxy, AcmeSetup.Name);
        Assert.Contains("Pebble", first.Issuer, StringComparison.Ordinal);

        // One name fewer: the certificate in use would do for it, and tells of the other one.
        Assert.True((await proxy.ReloadAsync(AcmeSetup.Config(setup.TlsPort, upstream.EndPoint, setup.Acme with { Names = [AcmeSetup.Name] }))).IsApplied);
        using var second = await AcmeSetup.WaitForCertificateAsync(proxy, leaf => leaf.SerialNumber != first.SerialNumber);
        Assert.True(second.MatchesHostname(AcmeSetup.Name));
        Assert.False(second.MatchesHostname("example.com"));
    }

    [Fact]
    public async Task Restart_WithoutAnyNetwork_StoredCertificateServesAtOnce()
    {
        await using var setup = await AcmeSetup.StartAsync();
        await using var upstream = ScriptedUpstream.Echo();
        string serial;
        await using (var first = await setup.StartProxyAsync(upstream.EndPoint))
        {
            using var issued = await AcmeSetup.WaitForCertificateAsync(first);
            serial = issued.SerialNumber;
        }

        var acme = setup.Acme;
        await setup.Pebble.DisposeAsync();
        File.WriteAllText(setup.Storage + ".root", TestCertificates.Shared.Root.ExportCertificatePem());
        await using var proxy = await AcmeSetup.StartAsync(AcmeSetup.Config(setup.TlsPort, upstream.EndPoint, acme with { TrustedCertificates = setup.Storage + ".root" }));

        using var certificate = await AcmeSetup.GetCertificateAsync(proxy, AcmeSetup.Name);
        Assert.Equal(serial, certificate.SerialNumber);
        foreach (var file in Directory.GetFiles(setup.Storage))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
    }

    [Fact]
    public async Task ShortLife_RenewedUnderLoad_NoHandshakeFails()
    {
        await using var setup = await AcmeSetup.StartAsync(o => o with { Validity = TimeSpan.FromSeconds(9), NonceReject = 20 });
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await setup.StartProxyAsync(upstream.EndPoint, c => c with
        {
            Certificates = new Dictionary<string, CertificateConfig> { ["www"] = new() { Acme = setup.Acme with { RenewBefore = TimeSpan.FromSeconds(6) } } },
        });
        using var first = await AcmeSetup.WaitForCertificateAsync(proxy);

        var serials = new HashSet<string>();
        for (var until = DateTime.UtcNow + Wait.Limit; serials.Count < 3; )
        {
            using var certificate = await AcmeSetup.GetCertificateAsync(proxy, AcmeSetup.Name);
            Assert.True(certificate.NotAfter > DateTime.Now, "An expired certificate was shown.");
            serials.Add(certificate.SerialNumber);
            Assert.True(DateTime.UtcNow < until, "The certificate was not renewed.");
        }

        Assert.DoesNotContain(proxy.Sessions, session => session.EndReason == SessionEndReason.ClientTlsFailed);
    }

    [Fact]
    public async Task ExternalAccount_IsBound_CertificateIsIssued()
    {
        const string Key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
        await using var setup = await AcmeSetup.StartAsync(o => o with { ExternalAccount = ("kid-1", Key) });
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await setup.StartProxyAsync(upstream.EndPoint, c => c with
        {
            Certificates = new Dictionary<string, CertificateConfig>
            {
                ["www"] = new() { Acme = setup.Acme with { ExternalAccount = new AcmeExternalAccountConfig { KeyId = "kid-1", HmacKey = Key } } },
            },
        });

        using var certificate = await AcmeSetup.WaitForCertificateAsync(proxy);
        Assert.Contains("Pebble", certificate.Issuer, StringComparison.Ordinal);
    }
}
