using System.Buffers;
using System.Net;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics.AccessLogs;
using KestrelStream.Dialing;
using KestrelStream.Preread;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.Tls;
using KestrelStream.Transport;
using Xunit;

namespace KestrelStream.Tests.Diagnostics.AccessLogs;

public sealed class AccessLogTemplateTests
{
    [Theory]
    [InlineData("{client} {sni}", "203.0.113.9:50000 db.example.com")]
    [InlineData("[{time}] {{x}} 100$$ {bytes_out}", "[2030-01-02T03:04:07.345Z] {x} 100$ 34")]
    [InlineData("$remote_addr:$remote_port", "203.0.113.9:50000")]
    [InlineData("${bytes_sent}x$bytes_received-", "34x12-")]
    [InlineData("$status $protocol $session_time $ssl_preread_server_name", "200 TCP 1.346 db.example.com")]
    [InlineData("$upstream_addr \"$upstream_connect_time\"", "10.0.0.1:5432,[2001:db8::1]:5432 \"-,0.001\"")]
    [InlineData("$ssl_protocol/$ssl_cipher/$ssl_session_reused $ssl_alpn_protocol", "TLSv1.3/TLS_AES_256_GCM_SHA384/r postgresql")]
    [InlineData("{end_reason} {end_code} {ja4} {queue_ms}", "UpstreamReset SD - -")]
    [InlineData("{attempts}", "a,10.0.0.1:5432,timed_out,10;b,[2001:db8::1]:5432,connected,0.5")]
    [InlineData("$REMOTE_ADDR {EVENT}", "203.0.113.9 end")]
    public void Format_Template_IsFilledIn(string template, string expected) => Assert.Equal(expected + "\n", Format(template, Record));

    [Theory]
    [InlineData("{nme}", "has \"nme\", which is not a field; valid: time, event, ")]
    [InlineData("$remote_adr", "has \"remote_adr\", which is not a field; valid: ")]
    [InlineData("{client", "has a { that no } ends")]
    [InlineData("${client", "has a { that no } ends")]
    [InlineData("{}", "has \"\", which is not a field")]
    [InlineData("a } b", "has a } without {")]
    [InlineData("no field", "has no field")]
    [InlineData("", "has no field")]
    [InlineData("{client}\n{sni}", "has a control character")]
    [InlineData("100$", "has \"\", which is not a field")]
    public void Parse_BadTemplate_SaysWhatIsWrong(string template, string expected)
    {
        Assert.Null(AccessLogTemplate.Parse(template, out var error));
        Assert.StartsWith(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Needs_Template_AreThoseOfItsFields()
    {
        Assert.Equal(SessionTraceNeeds.None, Needs("{client} {bytes_in}"));
        Assert.Equal(SessionTraceNeeds.Ja4, Needs("{client} {ja4}"));
        Assert.Equal(SessionTraceNeeds.AlpnOffered | SessionTraceNeeds.TcpInfo, Needs("$ssl_preread_alpn_protocols {client_rtt_ms}"));
    }

    [Fact]
    public void Fields_Names_AreDifferent()
    {
        var names = AccessLogFields.All.Concat(NginxVariables.All).Select(field => field.Name).ToList();
        Assert.Equal(names.Count, names.Distinct().Count());
        Assert.All(names, name => Assert.All(name, c => Assert.True(char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_')));
    }

    [Fact]
    public void Format_ValueIsADash_IsNoMissingOne()
        => Assert.Equal("\\x2d -\n", Format("{sni} {route}", Record with { ServerName = "-", Route = null }));

    [Fact]
    public void AlpnOffered_HostileNames_AreOneValue()
    {
        var received = new ClientHelloBuilder().WithAlpn("h2", "\n \u00ff").Build();
        var parser = new ClientHelloParser(received.Length);
        Assert.Equal(PrereadStatus.Hello, parser.Advance(received));
        var trace = new SessionTrace(SessionTraceNeeds.AlpnOffered, TimeProvider.System, 0);
        trace.SetHello(parser.GetHello(received), received, parser);
        Assert.Equal("h2,\\x0a\\x20\\xc3\\x83\\xc2\\xbf\n", Format("{alpn_offered}", Record with { Trace = trace }));
    }

    internal static AccessLogRecord Record => new()
    {
        Ended = new DateTimeOffset(2030, 1, 2, 3, 4, 7, 345, TimeSpan.Zero),
        SessionId = 31,
        Listener = "public",
        Route = "pg",
        Cluster = "postgres",
        Destination = "b",
        Client = IPEndPoint.Parse("203.0.113.9:50000"),
        ServerName = "db.example.com",
        Tls = new TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", "postgresql", IsResumed: true),
        BytesIn = 12,
        BytesOut = 34,
        Duration = TimeSpan.FromMilliseconds(1345.6784),
        DialTime = TimeSpan.FromMilliseconds(10.5),
        Attempts =
        [
            new DialAttempt("a", IPEndPoint.Parse("10.0.0.1:5432"), ConnectStatus.TimedOut, TimeSpan.FromMilliseconds(10)),
            new DialAttempt("b", IPEndPoint.Parse("[2001:db8::1]:5432"), ConnectStatus.Connected, TimeSpan.FromMilliseconds(0.5)),
        ],
        EndReason = SessionEndReason.UpstreamReset,
        Generation = 7,
    };

    internal static string Format(string template, AccessLogRecord record)
    {
        var line = new ArrayBufferWriter<byte>();
        var parsed = AccessLogTemplate.Parse(template, out var error);
        Assert.Null(error);
        AccessLogFormatter.Create(AccessLogFormat.Text, parsed, line).Format(record);
        return Encoding.UTF8.GetString(line.WrittenSpan);
    }

    private static SessionTraceNeeds Needs(string template) => AccessLogTemplate.Parse(template, out _)!.Needs;
}
