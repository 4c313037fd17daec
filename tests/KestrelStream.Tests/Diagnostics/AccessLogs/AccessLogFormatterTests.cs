using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Diagnostics.AccessLogs;
using KestrelStream.Dialing;
using KestrelStream.Model;
using KestrelStream.Sessions;
using KestrelStream.StartTls;
using KestrelStream.Tls;
using KestrelStream.Transport;
using Xunit;

namespace KestrelStream.Tests.Diagnostics.AccessLogs;

public sealed partial class AccessLogFormatterTests
{
    public static TheoryData<int> Hostile => [.. Enumerable.Range(0, HostileNames.All.Length)];

    [Fact]
    public void Json_TerminatedSession_HasEveryKey()
        => Assert.Equal(
            """
            {"time":"2030-01-02T03:04:07.345Z","event":"end","id":"1f","listener":"public","route":"pg","cluster":"postgres","destination":"b","client":"203.0.113.9:50000","peer":"203.0.113.9:50000","sni":"db.example.com","alpn":"postgresql","tls_version":"TLSv1.3","tls_cipher":"TLS_AES_256_GCM_SHA384","tls_resumed":true,"bytes_in":12,"bytes_out":3456789012,"duration_ms":1345.678,"dial_ms":10.5,"attempts":[{"destination":"a","address":"10.0.0.1:5432","result":"timed_out","ms":10},{"destination":"b","address":"[2001:db8::1]:5432","result":"connected","ms":0.5}],"end_reason":"UpstreamReset","end_code":"SD","generation":7}

            """,
            Format(AccessLogFormat.Json, Terminated));

    [Fact]
    public void Text_TerminatedSession_HasEveryKey()
        => Assert.Equal(
            """
            time=2030-01-02T03:04:07.345Z event=end id=1f listener=public route=pg cluster=postgres destination=b client=203.0.113.9:50000 peer=203.0.113.9:50000 sni=db.example.com alpn=postgresql tls_version=TLSv1.3 tls_cipher=TLS_AES_256_GCM_SHA384 tls_resumed=true bytes_in=12 bytes_out=3456789012 duration_ms=1345.678 dial_ms=10.5 attempts=a,10.0.0.1:5432,timed_out,10;b,[2001:db8::1]:5432,connected,0.5 end_reason=UpstreamReset end_code=SD generation=7

            """,
            Format(AccessLogFormat.Text, Terminated));

    [Fact]
    public void ClientCertificate_HostileText_StaysInItsField()
    {
        var certificate = new ClientCertificate("CN=\"a\n{\"\"id\"\":1}\u2028\" x=\\", "CN=ca\r", "URI:spiffe://a b", "00ff");
        var record = Refused with { Tls = new TlsFacts("TLSv1.3", "x", null, null) { ClientCertificate = certificate } };

        using var json = JsonDocument.Parse(Format(AccessLogFormat.Json, record));
        Assert.Equal(certificate.Subject, json.RootElement.GetProperty("client_certificate_subject").GetString());
        Assert.Equal(certificate.Issuer, json.RootElement.GetProperty("client_certificate_issuer").GetString());
        var text = Format(AccessLogFormat.Text, record);
        Assert.Contains(
            """client_certificate_subject="CN=\x22a\x0a{\x22\x22id\x22\x22:1}\xe2\x80\xa8\x22\x20x=\x5c" client_certificate_issuer="CN=ca\x0d" client_certificate_san="URI:spiffe://a\x20b" client_certificate_sha256=00ff """,
            text,
            StringComparison.Ordinal);
        Assert.Equal(text.Length - 1, text.IndexOf('\n', StringComparison.Ordinal));
    }

    [Fact]
    public void Json_NothingKnown_LeavesKeysOut()
        => Assert.Equal(
            """
            {"time":"2030-01-02T03:04:05.000Z","event":"end","id":"1","listener":"public","bytes_in":0,"bytes_out":0,"duration_ms":0,"end_reason":"ClientGone","end_code":"CR","generation":1}

            """,
            Format(AccessLogFormat.Json, Refused));

    [Fact]
    public void Json_Queued_TellsTheWait()
    {
        using var proxy = new TestProxy();
        var session = proxy.Start();
        session.QueueTime = TimeSpan.FromMilliseconds(1234.5);
        using var json = JsonDocument.Parse(Format(AccessLogFormat.Json, AccessLogRecord.Of(session, TimeSpan.FromSeconds(2))));
        Assert.Equal(1234.5, json.RootElement.GetProperty("queue_ms").GetDouble());
        Assert.False(json.RootElement.TryGetProperty("dial_ms", out _));
    }

    [Fact]
    public void Json_OneDialThatWorked_IsAnAttempt()
    {
        var record = Refused with
        {
            Destination = "a",
            DialTime = TimeSpan.FromMilliseconds(0.25),
            Upstream = new IPEndPoint(IPAddress.Loopback, 9001),
        };
        using var json = JsonDocument.Parse(Format(AccessLogFormat.Json, record));
        Assert.Equal(0.25, json.RootElement.GetProperty("dial_ms").GetDouble());
        Assert.Equal(
            """[{"destination":"a","address":"127.0.0.1:9001","result":"connected","ms":0.25}]""",
            json.RootElement.GetProperty("attempts").GetRawText());
    }

    [Fact]
    public void Json_TlsWithDestination_HasItsFactsAndItsFailures()
    {
        var record = Terminated with
        {
            StartTls = "postgresql",
            UpstreamTls = new TlsFacts("TLSv1.2", "TLS_X", "h\n2", false),
            UpstreamTlsTime = TimeSpan.FromMilliseconds(1.5),
            UpstreamTlsError = "bad\" record",
            Attempts = [new DialAttempt("a", IPEndPoint.Parse("10.0.0.1:5432"), ConnectStatus.TlsFailed, TimeSpan.Zero) { Detail = "another\nname" }],
        };

        using var json = JsonDocument.Parse(Format(AccessLogFormat.Json, record));
        Assert.Equal(
            ["postgresql", "h\n2", "TLSv1.2", "TLS_X", "False", "1.5", "bad\" record"],
            ((string[])["starttls", "upstream_alpn", "upstream_tls_version", "upstream_tls_cipher", "upstream_tls_resumed", "upstream_tls_ms", "upstream_tls_error"])
                .Select(key => json.RootElement.GetProperty(key).ToString()));
        Assert.Equal("another\nname", json.RootElement.GetProperty("attempts")[0].GetProperty("detail").GetString());
        Assert.Contains(
            """ upstream_alpn="h\x0a2" upstream_tls_version=TLSv1.2 upstream_tls_cipher=TLS_X upstream_tls_resumed=false upstream_tls_ms=1.5 upstream_tls_error="bad\x22\x20record" """,
            Format(AccessLogFormat.Text, record),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Of_SessionThatAskedForTls_HasTheNameOfItsProtocol()
    {
        using var proxy = new TestProxy();
        foreach (var protocol in Enum.GetValues<StartTlsProtocol>())
        {
            var session = proxy.Start();
            session.StartTls = StartTlsDialog.Of(protocol);
            Assert.Equal(protocol.ToString().ToLowerInvariant(), AccessLogRecord.Of(session, TimeSpan.Zero).StartTls);
        }
    }

    [Fact]
    public void Of_Session_CopiesItsFacts()
    {
        using var proxy = new TestProxy();
        var session = proxy.Start(client: "[::ffff:203.0.113.9]:50000");
        session.Route = proxy.Route("app1");
        session.BytesIn = 1;
        session.BytesOut = 2;
        var attempts = default(DialAttempts);
        session.Destination = proxy.Cluster("pool").Next(ref attempts);
        session.Upstream = FakeConnection.At("127.0.0.1:9001");
        session.DialTime = TimeSpan.FromMilliseconds(4);
        session.TryEnd(SessionEndReason.IdleTimeout);

        Assert.Equal(
            $$"""
            {"time":"2030-01-01T00:00:05.000Z","event":"end","id":"1","listener":"public","route":"app1","cluster":"pool","destination":"{{session.Destination!.Id}}","client":"203.0.113.9:50000","peer":"203.0.113.9:50000","bytes_in":1,"bytes_out":2,"duration_ms":5000,"dial_ms":4,"attempts":[{"destination":"{{session.Destination.Id}}","address":"127.0.0.1:9001","result":"connected","ms":4}],"end_reason":"IdleTimeout","end_code":"cD","generation":1}

            """,
            Format(AccessLogFormat.Json, AccessLogRecord.Of(session, TimeSpan.FromSeconds(5))));
    }

    [Theory]
    [InlineData("127.0.0.1:80", "127.0.0.1:80")]
    [InlineData("[::1]:80", "[::1]:80")]
    [InlineData("[::ffff:10.1.2.3]:80", "10.1.2.3:80")]
    public void EndPointText_Ip_IsWrittenAsPeopleDo(string endPoint, string expected) => Assert.Equal(expected, EndPointText.Of(IPEndPoint.Parse(endPoint)));

    [Fact]
    public void EndPointText_UnixSocket_HasItsPath() => Assert.Equal("unix:/run/a.sock", EndPointText.Of(new UnixDomainSocketEndPoint("/run/a.sock")));

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Json_HostileName_IsOneLineThatParsesBack(int number)
    {
        var name = HostileNames.All[number];
        var line = Format(AccessLogFormat.Json, HostileRecord(name));

        AssertOneAsciiLine(line);
        using var json = JsonDocument.Parse(line);
        Assert.Equal(21, json.RootElement.EnumerateObject().Count());
        Assert.Equal(Valid(name), json.RootElement.GetProperty("sni").GetString());
        Assert.Equal(Valid(name), json.RootElement.GetProperty("alpn").GetString());
        Assert.Equal(Valid(name), json.RootElement.GetProperty("route").GetString());
        Assert.Equal("NoRoute", json.RootElement.GetProperty("end_reason").GetString());
    }

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Text_HostileName_IsOneLineThatParsesBack(int number)
    {
        var name = HostileNames.All[number];
        var line = Format(AccessLogFormat.Text, HostileRecord(name));

        AssertOneAsciiLine(line);
        var pairs = line.TrimEnd('\n').Split(' ').Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => Unescape(pair[1]));
        Assert.Equal(21, pairs.Count);
        Assert.Equal(Valid(name), pairs["sni"]);
        Assert.Equal(Valid(name), pairs["alpn"]);
        Assert.Equal(Valid(name), pairs["route"]);
        Assert.Equal("NoRoute", pairs["end_reason"]);
    }

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Json_HostileProxyHeader_IsOneLineThatParsesBack(int number)
    {
        var name = HostileNames.All[number];
        var header = new KestrelStream.ProxyProtocol.ProxyHeader { Version = 2, Authority = name, UniqueId = new byte[] { 0, 0x0a }, AwsVpcEndpoint = name };

        var line = Format(AccessLogFormat.Json, HostileRecord(name) with { ProxyHeader = header });

        AssertOneAsciiLine(line);
        using var json = JsonDocument.Parse(line);
        Assert.Equal(Valid(name), json.RootElement.GetProperty("proxy_authority").GetString());
        Assert.Equal("000a", json.RootElement.GetProperty("proxy_unique_id").GetString());
    }

    private static AccessLogRecord Refused => new()
    {
        Ended = new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero),
        SessionId = 1,
        Listener = "public",
        EndReason = SessionEndReason.ClientGone,
        Generation = 1,
    };

    private static AccessLogRecord Terminated => Refused with
    {
        Ended = new DateTimeOffset(2030, 1, 2, 3, 4, 7, 345, TimeSpan.Zero),
        SessionId = 31,
        Route = "pg",
        Cluster = "postgres",
        Destination = "b",
        Client = IPEndPoint.Parse("203.0.113.9:50000"),
        ServerName = "db.example.com",
        Tls = new TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", "postgresql", IsResumed: true),
        BytesIn = 12,
        BytesOut = 3_456_789_012,
        Duration = TimeSpan.FromMilliseconds(1345.6784),
        DialTime = TimeSpan.FromMilliseconds(10.5),
        Attempts =
        [
            new DialAttempt("a", IPEndPoint.Parse("10.0.0.1:5432"), ConnectStatus.TimedOut, TimeSpan.FromMilliseconds(10)),
            new DialAttempt("b", IPEndPoint.Parse("[2001:db8::1]:5432"), ConnectStatus.Connected, TimeSpan.FromMilliseconds(0.5)),
        ],
        Upstream = IPEndPoint.Parse("[2001:db8::1]:5432"),
        EndReason = SessionEndReason.UpstreamReset,
        Generation = 7,
    };

    /// <summary>The server name is validated before it gets here and ids come from the configuration: the log relies on neither.</summary>
    private static AccessLogRecord HostileRecord(string name) => Terminated with
    {
        Listener = name,
        Route = name,
        Cluster = name,
        Destination = name,
        ServerName = name,
        Tls = new TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", name, IsResumed: null),
        Attempts = [new DialAttempt(name, null, ConnectStatus.NotResolved, TimeSpan.Zero)],
        EndReason = SessionEndReason.NoRoute,
    };

    private static string Format(AccessLogFormat format, AccessLogRecord record)
    {
        var line = new ArrayBufferWriter<byte>();
        var formatter = AccessLogFormatter.Create(format, template: null, line);
        formatter.Format(record);
        var first = Encoding.UTF8.GetString(line.WrittenSpan);

        // A formatter keeps nothing of a record: the same one again is the same line.
        formatter.Format(record);
        Assert.Equal(first + first, Encoding.UTF8.GetString(line.WrittenSpan));
        return first;
    }

    private static void AssertOneAsciiLine(string line)
    {
        Assert.Equal(line.Length - 1, line.IndexOf('\n', StringComparison.Ordinal));
        Assert.DoesNotContain(line[..^1], c => c is < ' ' or > '~');
    }

    /// <summary>What is no UTF-16 becomes U+FFFD on the way out.</summary>
    private static string Valid(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private static string Unescape(string value)
    {
        if (!value.StartsWith('"'))
        {
            Assert.NotEmpty(value);
            Assert.DoesNotContain(value, c => c is '"' or '\\');
            return value;
        }

        Assert.True(value.Length >= 2 && value.EndsWith('"'));
        var bytes = new List<byte>();
        foreach (Match match in EscapedByte().Matches(value[1..^1]))
        {
            bytes.Add(match.Value.Length == 1 ? (byte)match.Value[0] : Convert.ToByte(match.Value[2..], 16));
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    [GeneratedRegex("""\G(?:\\x[0-9a-f]{2}|[^"\\])""")]
    private static partial Regex EscapedByte();
}
