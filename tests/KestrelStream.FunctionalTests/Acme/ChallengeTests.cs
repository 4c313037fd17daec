using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using KestrelStream.Acme.Challenges;
using KestrelStream.Configuration;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.Tls;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelStream.FunctionalTests.Acme;

/// <summary>Which hellos are an ACME server's, and what clients get as long as there is no certificate.</summary>
public sealed class ChallengeTests : IDisposable
{
    private static readonly SslApplicationProtocol Protocol = new("acme-tls/1");

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task PendingName_IsAnsweredAndNothingElse(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var backend = ScriptedUpstream.Echo();
        await using var proxy = await StartAsync(engine, tlsEngine, backend);
        var challenges = proxy.Services.GetRequiredService<ChallengeCertificates>();
        using var answer = TlsAlpnCertificate.Create("www.example.com", "token.thumbprint", DateTimeOffset.UtcNow);
        challenges.Set("www.example.com", answer);

        await using (var ssl = await AcmeSetup.HandshakeAsync(await proxy.ConnectAsync(), "WWW.example.com", Protocol))
        {
            Assert.Equal(answer.RawData, ssl.RemoteCertificate!.GetRawCertData());
            Assert.Equal(Protocol, ssl.NegotiatedApplicationProtocol);
        }

        Assert.Equal(SessionEndReason.ChallengeAnswered, await proxy.EndReasonAsync());

        // Not the only protocol: an ordinary client, which the route offers neither.
        await Assert.ThrowsAnyAsync<Exception>(() => AcmeSetup.GetCertificateAsync(proxy, "www.example.com", Protocol, SslApplicationProtocol.Http2));
        Assert.Equal(SessionEndReason.ClientTlsFailed, await proxy.EndReasonAsync(1));

        challenges.Remove("www.example.com");
        await Assert.ThrowsAnyAsync<Exception>(() => AcmeSetup.GetCertificateAsync(proxy, "www.example.com", Protocol));
        Assert.NotEqual(SessionEndReason.ChallengeAnswered, await proxy.EndReasonAsync(2));
    }

    [Fact]
    public async Task NameThatIsPassedThrough_ChallengeOfTheBackendsOwn_GoesToTheBackend()
    {
        var hellos = new TaskCompletionSource<byte[]>();
        await using var backend = new ScriptedUpstream(async socket => hellos.SetResult(await socket.ReceiveExactlyAsync(100)));
        await using var proxy = await StartAsync(EngineKind.Auto, TlsEngineKind.Auto, backend);
        using var answer = TlsAlpnCertificate.Create("www.example.com", "token.thumbprint", DateTimeOffset.UtcNow);
        proxy.Services.GetRequiredService<ChallengeCertificates>().Set("www.example.com", answer);

        await Assert.ThrowsAnyAsync<Exception>(() => AcmeSetup.GetCertificateAsync(proxy, "passed.example.com", Protocol));

        Assert.Equal(0x16, (await hellos.Task.WaitAsync(Wait.Limit))[0]);
        Assert.Equal("passed", proxy.Sessions.Single().Route);
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task NothingIssued_Refuse_ClientGetsUnrecognizedName(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var backend = ScriptedUpstream.Echo();
        await using var proxy = await StartAsync(engine, tlsEngine, backend);
        using var client = await proxy.ConnectAsync();

        await client.SendAllAsync(new ClientHelloBuilder().WithServerName("www.example.com").Build());

        Assert.Equal([21, 3, 3, 0, 2, 2, 112], await client.ReceiveToEndAsync());
        Assert.Equal(SessionEndReason.ClientTlsFailed, await proxy.EndReasonAsync());
    }

    [Fact]
    public async Task NothingIssued_SelfSigned_ClientGetsTheStandInAndStartWaitsForNobody()
    {
        await using var backend = ScriptedUpstream.Echo();
        await using var proxy = await StartAsync(EngineKind.Auto, TlsEngineKind.Auto, backend, acme => acme with { UntilIssued = AcmeUntilIssued.SelfSigned });

        using var certificate = await AcmeSetup.GetCertificateAsync(proxy, "www.example.com");

        Assert.Equal(certificate.Subject, certificate.Issuer);
        await Wait.UntilAsync(() => AcmeSetup.Issuance(proxy).Failed > 0, "the first failure");
        var status = Assert.Single(proxy.Services.GetRequiredService<KestrelStream.Model.IProxyState>().Certificates);
        Assert.Equal((0, null), (status.Count, status.FirstToEnd));
        Assert.Empty(status.Refused);
    }

    [Fact]
    public async Task AuthorityNeverAnswers_StopIsQuick()
    {
        await using var silent = new ScriptedUpstream(socket => socket.ReceiveToEndAsync());
        await using var backend = ScriptedUpstream.Echo();
        await using var proxy = await StartAsync(EngineKind.Auto, TlsEngineKind.Auto, backend, acme => acme with { Directory = $"https://localhost:{silent.EndPoint.Port}/" });
        await Wait.UntilAsync(() => silent.Count > 0, "the authority to be asked");

        await proxy.StopAsync().WaitAsync(TimeSpan.FromSeconds(4));
    }

    private Task<ProxyEnvironment> StartAsync(
        EngineKind engine, TlsEngineKind tlsEngine, ScriptedUpstream backend, Func<AcmeConfig, AcmeConfig>? acme = null)
    {
        // Nobody listens there.
        var config = AcmeSetup.Config(
            0, backend.EndPoint, (acme ?? (a => a))(new AcmeConfig { Directory = "https://127.0.0.1:1/", Names = ["www.example.com"], Storage = _folder["acme"] }), engine, tlsEngine);
        return AcmeSetup.StartAsync(config with
        {
            Routes = new Dictionary<string, RouteConfig>(config.Routes)
            {
                ["passed"] = new() { Match = new RouteMatch { Sni = ["passed.example.com"] }, ClusterId = "c" },
            },
        });
    }
}
