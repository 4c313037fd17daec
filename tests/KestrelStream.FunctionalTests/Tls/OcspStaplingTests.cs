using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using KestrelStream.Tls;
using KestrelStream.Tls.Ocsp;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;
using static KestrelStream.FunctionalTests.Tls.TlsScene;

namespace KestrelStream.FunctionalTests.Tls;

/// <summary>Stapled OCSP answers, from a real responder and from files, as the real <c>openssl s_client -status</c> sees them.</summary>
public sealed class OcspStaplingTests : IDisposable
{
    private readonly TlsScene _scene = new();
    private readonly TestCertificates _authority = new();

    public void Dispose() => _scene.Dispose();

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Responder_OfTheCertificate_ItsAnswerIsStapled(string version)
    {
        var port = LoopbackPort.Take();
        var certificate = Issue(new X509AuthorityInformationAccessExtension([$"http://127.0.0.1:{port}/"], []));

        // Nobody is there yet: neither start nor handshakes wait for it.
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config(certificate, Stapling));
        Assert.Contains("OCSP response: no response sent", await ConnectAsync(proxy, "a.example.com", version, "-status"), StringComparison.Ordinal);
        await LoggedAsync(proxy, "has no new OCSP answer to staple");

        await using var responder = await OcspResponder.StartAsync(_authority, [certificate]);
        await using var other = await ProxyEnvironment.StartAsync(_scene.Config(certificate, tls => Stapling(tls) with { OcspResponder = responder.Url }));
        await LoggedAsync(other, "its OCSP answer is good");

        var output = await ConnectAsync(other, "a.example.com", version, "-status");
        Assert.Contains("Cert Status: good", output, StringComparison.Ordinal);
        Assert.False(IsResumed(output));
        Assert.Contains((string)$"kestrelstream_ocsp_answers_total{{certificate=\"a\",result=\"good\"}} 1", Metrics(other), StringComparison.Ordinal);
        Assert.Contains("kestrelstream_ocsp_expiry_seconds{certificate=\"a\"} 3", Metrics(other), StringComparison.Ordinal);
        Assert.DoesNotContain("OCSP Response Data", await ConnectAsync(other, "a.example.com", version), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Revoked_IsSaidInTheLog_AndNothingIsStapled()
    {
        var certificate = Issue();
        await using var responder = await OcspResponder.StartAsync(_authority, [], revoked: [certificate]);
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config(certificate, tls => Stapling(tls) with { OcspResponder = responder.Url }));
        await LoggedAsync(proxy, "has no new OCSP answer to staple: it is revoked");

        Assert.Contains("OCSP response: no response sent", await ConnectAsync(proxy, "a.example.com", "-status"), StringComparison.Ordinal);
        Assert.Contains("kestrelstream_ocsp_answers_total{certificate=\"a\",result=\"revoked\"} 1", Metrics(proxy), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnope", "it is no OCSP response in DER")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\x30\x03\x0a\x01\x06", "the responder refuses to answer (status 6")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", "")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "the responder says 302")]
    [InlineData("garbage", "")]
    public async Task Responder_ThatSaysNothingUseful_IsLogged_AndClientsAreServed(string answer, string reason)
    {
        await using var responder = new ScriptedUpstream(async socket =>
        {
            var buffer = new byte[4096];
            _ = await socket.ReceiveAsync(buffer);
            await socket.SendAllAsync(System.Text.Encoding.Latin1.GetBytes(answer));
            socket.Shutdown(SocketShutdown.Send);
        });
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config(Issue(), tls => Stapling(tls) with { OcspResponder = $"http://{responder.EndPoint}/" }));
        await LoggedAsync(proxy, $"has no new OCSP answer to staple: {reason}");

        var output = await ConnectAsync(proxy, "a.example.com", "-status");
        Assert.Contains("OCSP response: no response sent", output, StringComparison.Ordinal);
        Assert.False(IsResumed(output));
    }

    [Fact]
    public async Task Responder_ThatNeverAnswers_IsWaitedForByNobody()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config(Issue(), tls => Stapling(tls) with { OcspResponder = $"http://{listener.LocalEndpoint}/" }));
        using var asked = await listener.AcceptSocketAsync().WaitAsync(Wait.Limit);

        Assert.False(IsResumed(await ConnectAsync(proxy, "a.example.com", "-status")));
    }

    [Fact]
    public async Task Fresh_BeforeItEnds_AndNeverStapledAfterwards()
    {
        var certificate = Issue();

        // The clock of the answers starts with the responder's own.
        var time = new ShiftedTimeProvider();
        var responder = await OcspResponder.StartAsync(_authority, [certificate], validMinutes: 60);
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config(certificate, tls => Stapling(tls) with { OcspResponder = responder.Url }), services => services.AddSingleton(
            provider => new OcspStapler(
                provider.GetRequiredService<CertificateStore>(), provider.GetRequiredService<StreamProxyMetrics>(), time, provider.GetRequiredService<ILogger<OcspStapler>>())));
        await LoggedAsync(proxy, "its OCSP answer is good");

        // At half of its life it is asked for again.
        time.Shift(TimeSpan.FromMinutes(31));
        await LoggedAsync(proxy, "its OCSP answer is good", times: 2);

        await responder.DisposeAsync();
        time.Shift(TimeSpan.FromMinutes(61));
        await LoggedAsync(proxy, "has no new OCSP answer to staple");
        Assert.Contains("OCSP response: no response sent", await ConnectAsync(proxy, "a.example.com", "-status"), StringComparison.Ordinal);
        Assert.DoesNotContain("kestrelstream_ocsp_expiry_seconds{", Metrics(proxy), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_AreStapled_AndTakenAgainWhenTheyChange()
    {
        var certificate = Issue();
        var file = _scene.Folder.Write("a.ocsp", await OcspResponder.AnswerAsync(_authority, certificate));
        await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config(certificate, tls => Stapling(tls) with { OcspFiles = [file] }));
        await LoggedAsync(proxy, "its OCSP answer is good");
        Assert.Contains("Cert Status: good", await ConnectAsync(proxy, "a.example.com", "-status"), StringComparison.Ordinal);

        _scene.Folder.Write("a.ocsp", await OcspResponder.AnswerAsync(_authority, certificate, isRevoked: true));
        await LoggedAsync(proxy, "it is revoked");
        Assert.Contains("OCSP response: no response sent", await ConnectAsync(proxy, "a.example.com", "-status"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_OfSomeoneElse_AreNotStapled()
    {
        var certificate = Issue();
        var other = new TestCertificates();
        (byte[] Der, string Reason)[] answers =
        [
            (await OcspResponder.AnswerAsync(_authority, Issue()), "it is about another certificate"),
            (await OcspResponder.AnswerAsync(_authority, certificate, signer: other), "its signature is not that of the certificate's issuer"),
        ];
        foreach (var (der, reason) in answers)
        {
            var file = _scene.Folder.Write("a.ocsp", der);
            await using var proxy = await ProxyEnvironment.StartAsync(_scene.Config(certificate, tls => Stapling(tls) with { OcspFiles = [file] }));
            await LoggedAsync(proxy, $"no file has an answer for it: {reason}");
            Assert.Contains("OCSP response: no response sent", await ConnectAsync(proxy, "a.example.com", "-status"), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(null, "the file does not exist")]
    [InlineData("not DER", "it is no OCSP response in DER")]
    public async Task Files_ThatAreNone_AreConfigErrors(string? content, string reason)
    {
        var file = content is null ? _scene.Folder["missing"] : _scene.Folder.Write("a.ocsp", content);

        var error = await Assert.ThrowsAsync<KestrelStream.Management.StreamProxyConfigException>(
            () => ProxyEnvironment.StartAsync(_scene.Config(Issue(), tls => Stapling(tls) with { OcspFiles = [file] })));

        Assert.Equal("StreamProxy:Routes:all:Tls:OcspFiles:0", Assert.Single(error.Errors).Path);
        Assert.Contains(reason, error.Errors[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TwoKindsOfKeys_EachGetsItsOwnAnswer()
    {
        var ecdsa = Issue();
        var rsa = _authority.Issue(TestKeyType.Rsa2048, ["a.example.com"]);
        await using var responder = await OcspResponder.StartAsync(_authority, [ecdsa, rsa]);
        var config = _scene.Config(ecdsa, tls => Stapling(tls) with { Certificates = ["a", "b"], OcspResponder = responder.Url });
        var (path, key) = rsa.WritePem(_scene.Folder, "b.pem", "b.key");
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Certificates = new Dictionary<string, CertificateConfig>(config.Certificates) { ["b"] = new() { Path = path, KeyPath = key } },
        });
        await LoggedAsync(proxy, "its OCSP answer is good", times: 2);

        foreach (var (cipher, certificate) in new[] { ("ECDHE-ECDSA-AES128-GCM-SHA256", ecdsa), ("ECDHE-RSA-AES128-GCM-SHA256", rsa) })
        {
            var output = await ConnectAsync(proxy, "a.example.com", "-status", "-tls1_2", "-cipher", cipher);
            Assert.Contains($"Serial Number: {certificate.Leaf.SerialNumber}", output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task MustStaple_WithoutStapling_IsWarnedOfOnce()
    {
        // RFC 7633: a sequence of the number 5, status_request.
        var config = _scene.Config(Issue(new X509Extension("1.3.6.1.5.5.7.1.24", [0x30, 3, 2, 1, 5], critical: false)));
        await using var proxy = await ProxyEnvironment.StartAsync(config);
        Assert.True((await proxy.ReloadAsync(config with { ShutdownTimeout = TimeSpan.FromSeconds(3) })).IsApplied);

        Assert.Single(proxy.Log.Events, e => e.Message.Contains("clients must refuse it without a stapled OCSP answer", StringComparison.Ordinal));
    }

    private static RouteTlsConfig Stapling(RouteTlsConfig tls) => tls with { OcspStapling = true };

    private static Task LoggedAsync(ProxyEnvironment proxy, string text, int times = 1)
        => Wait.UntilAsync(() => proxy.Log.Events.Count(e => e.Message.Contains(text, StringComparison.Ordinal)) >= times, text);

    private static string Metrics(ProxyEnvironment proxy)
    {
        var text = new System.Buffers.ArrayBufferWriter<byte>();
        PrometheusText.Write(proxy.Services.GetRequiredService<StreamProxyMetrics>(), text);
        return System.Text.Encoding.UTF8.GetString(text.WrittenSpan);
    }

    private TestCertificate Issue(params X509Extension[] more) => _authority.Issue(TestKeyType.EcdsaP256, ["a.example.com"], more: more);

    /// <summary>A real clock that can be put forward, with all that waits for it: what other programs have dated must stay readable.</summary>
    private sealed class ShiftedTimeProvider : TimeProvider
    {
        private readonly FakeTimeProvider _timers = new();
        private readonly DateTimeOffset _start = System.GetUtcNow();
        private readonly DateTimeOffset _fakeStart;

        public ShiftedTimeProvider() => _fakeStart = _timers.GetUtcNow();

        public override DateTimeOffset GetUtcNow() => _start + (_timers.GetUtcNow() - _fakeStart);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => _timers.CreateTimer(callback, state, dueTime, period);

        public void Shift(TimeSpan by) => _timers.Advance(by);
    }
}
