using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Health.Checks;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.Tests.Health.Checks;

/// <summary>What checks say, how they leave, TLS, and connections that are not made.</summary>
public sealed class ProbeRequestTests
{
    private static readonly ActiveHealthCheckConfig Patient = new() { Timeout = TimeSpan.FromSeconds(20) };

    [Fact]
    public async Task Tcp_Accepted_IsHealthyAndResetsTheConnection()
    {
        var wasReset = new TaskCompletionSource<bool>();
        await using var peer = new ScriptedUpstream(async socket => wasReset.SetResult(await socket.EndsWithResetAsync()));
        var report = await CheckRun.AgainstAsync(peer.EndPoint, Patient);

        Assert.Equal((CheckResult.Healthy, "connected"), (report.Result, report.Detail));
        Assert.True(await wasReset.Task.WaitAsync(Wait.Limit));
    }

    [Theory]
    [InlineData(HealthCheckKind.Tcp)]
    [InlineData(HealthCheckKind.PostgreSql)]
    public async Task Refused_IsAFailureOfConnect(HealthCheckKind kind)
    {
        var report = await CheckRun.AgainstAsync(ScriptedUpstream.Nobody(), Patient with { Kind = kind });

        Assert.Equal((CheckResult.Connect, "refused"), (report.Result, report.Detail));
    }

    [Fact]
    public async Task UnixSocket_ThereAndNotThere()
    {
        using var folder = new TempFolder();
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(folder["a.sock"]));
        listener.Listen();

        var there = await CheckRun.AgainstAsync(new IPEndPoint(0, 1), Patient, destination: new DestinationConfig { Address = "10.0.0.1:1", Health = $"unix:{folder["a.sock"]}" });
        var gone = await CheckRun.AgainstAsync(new IPEndPoint(0, 1), Patient, destination: new DestinationConfig { Address = $"unix:{folder["b.sock"]}" });

        Assert.Equal(CheckResult.Healthy, there.Result);
        Assert.Equal((CheckResult.Connect, "address not available"), (gone.Result, gone.Detail));
    }

    [Fact]
    public async Task Http_Request_IsWhatTheSettingsSay()
    {
        var request = "";
        async Task Script(Socket socket)
        {
            var buffer = new byte[4096];
            while (!request.EndsWith("\r\n\r\n", StringComparison.Ordinal))
            {
                request += Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer));
            }

            await socket.SendAllAsync("HTTP/1.1 418 I'm a teapot\r\n\r\n"u8.ToArray());
        }

        var config = Patient with { Kind = HealthCheckKind.Http, Method = "HEAD", Path = "/a?b", Host = "x.example.com:81", ExpectStatus = "200, 410-418" };
        Assert.Equal(CheckResult.Healthy, (await CheckRun.AgainstAsync(Script, config)).Result);
        Assert.StartsWith("HEAD /a?b HTTP/1.1\r\nHost: x.example.com:81\r\n", request, StringComparison.Ordinal);
        Assert.Contains("\r\nConnection: close\r\n", request, StringComparison.Ordinal);

        request = "";
        await using var peer = new ScriptedUpstream(Script);
        await CheckRun.AgainstAsync(peer.EndPoint, Patient with { Kind = HealthCheckKind.Http });
        Assert.StartsWith($"GET / HTTP/1.1\r\nHost: {peer.EndPoint}\r\n", request, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PostgreSql_Startup_NamesUserAndDatabaseAndSaysGoodbye()
    {
        byte[] startup = [], goodbye = [];
        var report = await CheckRun.AgainstAsync(
            async socket =>
            {
                var length = (await socket.ReceiveExactlyAsync(4))[3];
                startup = await socket.ReceiveExactlyAsync(length - 4);
                await socket.SendAllAsync("R\0\0\0\b\0\0\0\0Z\0\0\0\u0005I"u8.ToArray());
                goodbye = await socket.ReceiveToEndAsync();
            },
            Patient with { Kind = HealthCheckKind.PostgreSql, User = "check", Database = "app" });

        Assert.Equal(CheckResult.Healthy, report.Result);
        Assert.StartsWith("\0\u0003\0\0user\0check\0database\0app\0", Encoding.ASCII.GetString(startup), StringComparison.Ordinal);
        Assert.EndsWith("\0\0", Encoding.ASCII.GetString(startup), StringComparison.Ordinal);
        Assert.Equal([(byte)'X', 0, 0, 0, 4], goodbye);
    }

    [Fact]
    public async Task MySql_Greeting_IsFollowedByALoginToItsEnd()
    {
        byte[] login = [], answer = [], goodbye = [];
        var report = await CheckRun.AgainstAsync(
            async socket =>
            {
                await socket.SendAllAsync("\u0005\0\0\0\n9.0\0"u8.ToArray());
                login = await socket.ReceiveExactlyAsync(4 + 32 + 6 + 1 + 22);
                await socket.SendAllAsync(new byte[] { 3, 0, 0, 2, 0xfe, (byte)'x', 0 });
                answer = await socket.ReceiveExactlyAsync(4);
                await socket.SendAllAsync(new byte[] { 1, 0, 0, 4, 0 });
                goodbye = await socket.ReceiveToEndAsync();
            },
            Patient with { Kind = HealthCheckKind.MySql, User = "check" });

        Assert.Equal((CheckResult.Healthy, "9.0"), (report.Result, report.Detail));
        Assert.Equal([61, 0, 0, 1], login[..4]);
        Assert.EndsWith("check\0\0mysql_native_password\0", Encoding.ASCII.GetString(login), StringComparison.Ordinal);
        Assert.Equal([0, 0, 0, 3], answer);
        Assert.Equal([1, 0, 0, 0, 1], goodbye);
    }

    [Theory]
    [InlineData("+OK\r\n+PONG\r\n", "healthy")]
    [InlineData("-WRONGPASS invalid\r\n-NOAUTH x\r\n", "protocol")]
    public async Task Redis_Password_IsSentBeforePing(string answer, string result)
    {
        var request = "";
        var report = await CheckRun.AgainstAsync(
            async socket =>
            {
                request = Encoding.ASCII.GetString(await socket.ReceiveExactlyAsync(51));
                await CheckRun.Says(Encoding.ASCII.GetBytes(answer))(socket);
            },
            Patient with { Kind = HealthCheckKind.Redis, User = "check", Password = "s3cret" });

        Assert.Equal(result, CheckResults.NameOf(report.Result));
        Assert.Equal("*3\r\n$4\r\nAUTH\r\n$5\r\ncheck\r\n$6\r\ns3cret\r\n*1\r\n$4\r\nPING\r\n", request);
    }

    [Fact]
    public async Task Tls_GoodCertificate_IsHealthyAndItsEndIsKnown()
    {
        var certificate = TestCertificates.Shared.Issue("app.example.com");
        var report = await CheckTlsAsync(certificate, Patient with { ServerName = "app.example.com" }, [TestCertificates.Shared.Root]);

        Assert.Equal((CheckResult.Healthy, "handshake done, TLSv1.3"), (report.Result, report.Detail));
        Assert.Equal(certificate.Leaf.NotAfter.ToUniversalTime(), report.CertificateExpires!.Value.UtcDateTime);
    }

    [Fact]
    public async Task Tls_BadCertificates_SayWhy()
    {
        var good = TestCertificates.Shared.Issue("app.example.com");
        var expired = TestCertificates.Shared.Issue(TestKeyType.EcdsaP256, ["app.example.com"], DateTimeOffset.UtcNow.AddDays(-3), DateTimeOffset.UtcNow.AddDays(-1));
        var config = Patient with { ServerName = "app.example.com" };

        Assert.Equal("the certificate is not trusted (UntrustedRoot)", (await CheckTlsAsync(good, config, [new TestCertificates().Root])).Detail.Replace("PartialChain", "UntrustedRoot", StringComparison.Ordinal));
        Assert.Equal("the certificate is for another name", (await CheckTlsAsync(good, config with { ServerName = "b.example.com" }, [TestCertificates.Shared.Root])).Detail);
        var late = await CheckTlsAsync(expired, config, [TestCertificates.Shared.Root]);
        Assert.Equal((CheckResult.Tls, "the certificate is not trusted (NotTimeValid)"), (late.Result, late.Detail));
        Assert.NotNull(late.CertificateExpires);
        Assert.Equal(CheckResult.Healthy, (await CheckTlsAsync(expired, config with { Verify = false }, null)).Result);
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", true, "tls")]
    [InlineData("", true, "tls")]
    [InlineData("", false, "timeout")]
    public async Task Tls_NoTlsThere_IsAFailureOfTls(string says, bool closes, string result)
    {
        var report = await CheckRun.AgainstAsync(
            CheckRun.Says(Encoding.ASCII.GetBytes(says), closes: closes), new ActiveHealthCheckConfig { Kind = HealthCheckKind.Tls, Verify = false, Timeout = TimeSpan.FromMilliseconds(300) });

        Assert.Equal(result, CheckResults.NameOf(report.Result));
        Assert.NotEmpty(report.Detail);
    }

    [Fact]
    public async Task Https_AnswersOverTls()
    {
        var certificate = TestCertificates.Shared.Issue("app.example.com");
        var report = await CheckRun.AgainstAsync(
            async socket =>
            {
                await using var tls = await HandshakeAsync(socket, certificate);
                await tls.ReadAtLeastAsync(new byte[4096], 10);
                await tls.WriteAsync("HTTP/1.1 200 OK\r\n\r\nall is well"u8.ToArray());
                await tls.ShutdownAsync();
            },
            Patient with { Kind = HealthCheckKind.Https, ExpectBody = "well" },
            [TestCertificates.Shared.Root],
            new DestinationConfig { Host = "app.example.com" });

        Assert.Equal((CheckResult.Healthy, "HTTP/1.1 200 OK"), (report.Result, report.Detail));
        Assert.NotNull(report.CertificateExpires);
    }

    private static Task<CheckReport> CheckTlsAsync(TestCertificate certificate, ActiveHealthCheckConfig config, X509Certificate2Collection? authorities)
        => CheckRun.AgainstAsync(
            async socket =>
            {
                try
                {
                    await using var tls = await HandshakeAsync(socket, certificate);
                    await tls.CopyToAsync(Stream.Null);
                }
                catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
                {
                    // The check did not like the certificate.
                }
            },
            config with { Kind = HealthCheckKind.Tls },
            authorities);

    private static async Task<SslStream> HandshakeAsync(Socket socket, TestCertificate certificate)
    {
        var tls = new SslStream(new NetworkStream(socket));
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate.Leaf, [.. certificate.Intermediates], offline: true),
        });
        return tls;
    }
}
