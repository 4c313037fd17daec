using System.Net.Sockets;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.StartTls;

/// <summary>SMTP, IMAP, POP3 and LDAP whose TLS ends here, before servers that have none: curl and openssl, and clients that do not keep the rules.</summary>
public sealed class MailTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly string _root;

    public MailTests() => _root = _folder.Write("root.pem", TestCertificates.Shared.Root.ExportCertificatePem());

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Curl_SendsMail_FromEitherGreeting(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var mail = _folder.Write("mail.txt", "Subject: hello\r\n\r\nFirst line\r\n");
        foreach (var greeting in Enum.GetValues<StartTlsGreeting>())
        {
            await using var server = new MailServer("220-mx.internal\r\n220 ready\r\n", MailServer.Smtp);
            await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine, StartTlsProtocol.Smtp, server, greeting));

            var result = await CurlAsync(proxy, "smtp", "--mail-from", "a@example.com", "--mail-rcpt", "b@example.com", "--upload-file", mail);

            Assert.True(result.ExitCode == 0, result.ToString());
            Assert.Equal(greeting == StartTlsGreeting.Destination, result.Error.Contains("< 220-mx.internal", StringComparison.Ordinal));
            Assert.Contains("SSL connection using TLSv1.3", result.Error);
            Assert.Contains(server.Lines, line => line == "First line");
            Assert.DoesNotContain("STARTTLS", server.Lines);
            Assert.Equal(("mail", "mail.example.com"), (proxy.Sessions.Single().Route, proxy.Sessions.Single().ServerName));
            Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync());
        }
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Curl_ReadsMail_ByImapAndPop3(EngineKind engine, TlsEngineKind tlsEngine)
    {
        foreach (var greeting in Enum.GetValues<StartTlsGreeting>())
        {
            await using var imap = new MailServer("* OK imap.internal\r\n", MailServer.Imap);
            await using var byImap = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine, StartTlsProtocol.Imap, imap, greeting));
            var listed = await CurlAsync(byImap, "imap", "--user", "me:secret");
            Assert.True(listed.ExitCode == 0, listed.ToString());
            Assert.Contains("INBOX", listed.Output);

            await using var pop = new MailServer("+OK pop.internal\r\n", MailServer.Pop3);
            await using var byPop = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine, StartTlsProtocol.Pop3, pop, greeting));
            listed = await CurlAsync(byPop, "pop3", "--user", "me:secret");
            Assert.True(listed.ExitCode == 0, listed.ToString());
            Assert.Contains("1 120", listed.Output);
        }
    }

    /// <summary>On every engine, one after another: each protocol is a case already.</summary>
    [Theory]
    [InlineData(StartTlsProtocol.Smtp, "smtp")]
    [InlineData(StartTlsProtocol.Imap, "imap")]
    [InlineData(StartTlsProtocol.Pop3, "pop3")]
    [InlineData(StartTlsProtocol.Ldap, "ldap")]
    public async Task Openssl_StartTls_ShowsTheCertificateOfTheName(StartTlsProtocol protocol, string name)
    {
        foreach (var engine in ((IEnumerable<object[]>)Engines.All).Select(row => (EngineKind)row[0]))
        {
            await using var server = new MailServer(protocol switch { StartTlsProtocol.Imap => "* OK\r\n", StartTlsProtocol.Pop3 => "+OK\r\n", StartTlsProtocol.Ldap => "", _ => "220 ok\r\n" }, _ => "");
            await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, TlsEngineKind.Auto, protocol, server, null));

            var good = await OpenSslClient.HandshakeAsync(proxy.EndPoint(), "mail.example.com", "-starttls", name, "-CAfile", _root, "-verify_return_error");
            Assert.True(good.ExitCode == 0, good.ToString());
            Assert.Contains("mail.example.com", OpenSslClient.PeerCertificate(good).Subject, StringComparison.Ordinal);

            var other = await OpenSslClient.HandshakeAsync(proxy.EndPoint(), "other.example.com", "-starttls", name);
            Assert.NotEqual(0, other.ExitCode);
            Assert.Contains("unrecognized name", other.Error);
            Assert.Equal(SessionEndReason.NoRoute, await proxy.EndReasonAsync(1));
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task CommandBehindStartTls_IsAViolation(EngineKind engine)
    {
        await using var server = new MailServer("220 ok\r\n", MailServer.Smtp);
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, TlsEngineKind.Auto, StartTlsProtocol.Smtp, server, null));
        using var client = await proxy.ConnectAsync();

        await client.SendAllAsync("EHLO me\r\nSTARTTLS\r\nMAIL FROM:<a@example.com>\r\n"u8.ToArray());

        Assert.True(await client.EndsWithResetAsync());
        Assert.Equal(SessionEndReason.ProtocolViolation, await proxy.EndReasonAsync());
        Assert.Empty(server.Lines);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task CommandsInTheClear_AreAnsweredAndNeverPassedOn(EngineKind engine)
    {
        await using var server = new MailServer("220 ok\r\n", MailServer.Smtp);
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, TlsEngineKind.Auto, StartTlsProtocol.Smtp, server, StartTlsGreeting.Proxy));
        using var client = await proxy.ConnectAsync();

        await client.SendAllAsync("EHLO me\r\nMAIL FROM:<a@example.com>\r\nNOOP\nQUIT\r\n"u8.ToArray());

        Assert.Equal(
            "220 mx.example.com ESMTP\r\n250-mx.example.com\r\n250 STARTTLS\r\n530 5.7.0 Must issue a STARTTLS command first\r\n250 2.0.0 OK\r\n221 2.0.0 Bye\r\n",
            Encoding.ASCII.GetString(await client.ReceiveToEndAsync()));
        Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync());
        Assert.Empty(server.Lines);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task ClientThatTalksForever_IsEnded(EngineKind engine)
    {
        await using var server = new MailServer("220 ok\r\n", MailServer.Smtp);
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, TlsEngineKind.Auto, StartTlsProtocol.Smtp, server, null));
        using var chatty = await proxy.ConnectAsync();
        await chatty.SendAllAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("NOOP\r\n", 30))));
        Assert.True(await chatty.EndsWithResetAsync());
        Assert.Equal(SessionEndReason.ProtocolViolation, await proxy.EndReasonAsync());

        using var longLine = await proxy.ConnectAsync();
        await longLine.SendAllAsync(new byte[3000]);
        await longLine.EndsWithResetAsync();
        Assert.Equal(SessionEndReason.ClientGone, await proxy.EndReasonAsync(1));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task DestinationThatRefuses_EndsTheSession(EngineKind engine)
    {
        foreach (var greeting in Enum.GetValues<StartTlsGreeting>())
        {
            await using var server = new MailServer("554 no\r\n", MailServer.Smtp);
            await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, TlsEngineKind.Auto, StartTlsProtocol.Smtp, server, greeting));
            var result = await CurlAsync(proxy, "smtp");
            Assert.NotEqual(0, result.ExitCode);
            Assert.Equal(SessionEndReason.ConnectRefused, await proxy.EndReasonAsync());
        }
    }

    private Task<ProcessResult> CurlAsync(ProxyEnvironment proxy, string scheme, params string[] more)
    {
        var port = proxy.EndPoint().Port;
        return ChildProcess.RunAsync(PeerProgram.Find("curl", "curl"), [
            "--silent", "--show-error", "--verbose", "--noproxy", "*", "--max-time", "50", "--ssl-reqd", "--cacert", _root,
            "--resolve", $"mail.example.com:{port}:127.0.0.1", .. more, $"{scheme}://mail.example.com:{port}/",
        ]);
    }

    private StreamProxyConfig Config(EngineKind engine, TlsEngineKind tlsEngine, StartTlsProtocol protocol, MailServer server, StartTlsGreeting? greeting)
    {
        var (path, keyPath) = TestCertificates.Shared.Issue("mail.example.com").WritePem(_folder);
        return new StreamProxyConfig
        {
            Engine = engine,
            Tls = new TlsConfig { Engine = tlsEngine },
            ShutdownTimeout = TimeSpan.FromSeconds(10),
            Listeners = new Dictionary<string, ListenerConfig>
            {
                ["public"] = new()
                {
                    Address = "127.0.0.1:0",
                    StartTls = greeting is null ? null : new ListenerStartTlsConfig { Greeting = greeting.Value, Name = greeting == StartTlsGreeting.Proxy ? "mx.example.com" : null },
                },
            },
            Certificates = new Dictionary<string, CertificateConfig> { ["mail"] = new() { Path = path, KeyPath = keyPath } },
            Routes = new Dictionary<string, RouteConfig>
            {
                ["mail"] = new()
                {
                    StartTls = protocol,
                    Match = new RouteMatch { Sni = ["mail.example.com"] },
                    Tls = new RouteTlsConfig { Mode = TlsMode.Terminate, Certificates = ["mail"] },
                    ClusterId = "mail",
                },
            },
            Clusters = new Dictionary<string, ClusterConfig>
            {
                ["mail"] = new() { Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = server.EndPoint.ToString() } } },
            },
        };
    }
}
