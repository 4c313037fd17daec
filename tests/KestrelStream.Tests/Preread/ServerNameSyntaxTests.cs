using System.Text;
using KestrelStream.Preread;
using KestrelStream.TestKit;
using KestrelStream.Tls;
using Xunit;

namespace KestrelStream.Tests.Preread;

/// <summary>Which bytes of a server_name are a name, no name, or malformed.</summary>
public class ServerNameSyntaxTests
{
    private static readonly string Label63 = new('a', 63);
    private static readonly string Name253 = string.Join('.', Label63, Label63, Label63, new string('b', 61));

    public static TheoryData<string, string> Names => new()
    {
        { "a", "a" },
        { "www.example.com", "www.example.com" },
        { "WWW.Example.COM", "www.example.com" },
        { "www.example.com.", "www.example.com" },
        { "xn--bcher-kva.example", "xn--bcher-kva.example" },
        { "_sip._tcp.example", "_sip._tcp.example" },
        { "-a-.b-", "-a-.b-" },
        { Label63, Label63 },
        { Name253, Name253 },
        { Name253 + ".", Name253 },
        { "localhost", "localhost" },
        { "1", "1" },
        { "1.2.3", "1.2.3" },
        { "1.2.3.4.5", "1.2.3.4.5" },
        { "1.2.3.256", "1.2.3.256" },
        { "1.2.3.0004", "1.2.3.0004" },
        { "1.2.3.4a", "1.2.3.4a" },
        { "1.2.3.4.example", "1.2.3.4.example" },
        { "a.1.2.3.4", "a.1.2.3.4" },
    };

    public static TheoryData<string> IPLiterals =>
    [
        "0.0.0.0", "10.0.0.1", "255.255.255.255", "010.000.0.1", "10.0.0.1.",
        "::", "::1", "2001:db8::1", "2001:DB8:0:0:0:0:0:1", "::ffff:192.0.2.1",
    ];

    public static TheoryData<string> NoNames =>
    [
        ".", "..", ".a", "a..b", "a..", "a. ", " a", "a b", "*.example.com", "a/b", "../../etc/passwd", "a.example:443",
        "a\0.example", "a\r\nb", "a\u007f", "\"", "\\", "a,b", "bücher.example", "a。example。com", "a@b", "%61.example",
        new string('a', 64), "b." + new string('a', 64), Name253 + "c", Name253 + "c.", Name253 + "..", new string('a', 4000),
        "[::1]", "::1%lo", "::1%1", ":", ":::", "1:2", "::1.", "12345::1", "[2001:db8::1]:443", "::1/64", "g::1",
    ];

    [Theory]
    [MemberData(nameof(Names))]
    public void Advance_Name_IsLowerCasedWithoutTrailingDot(string sent, string expected)
        => Assert.Equal((PrereadStatus.Hello, expected), StatusAndName(sent));

    [Theory]
    [MemberData(nameof(IPLiterals))]
    public void Advance_IPLiteral_CountsAsNoName(string sent) => Assert.Equal((PrereadStatus.Hello, null), StatusAndName(sent));

    [Theory]
    [MemberData(nameof(NoNames))]
    public void Advance_AnythingElse_IsMalformed(string sent)
    {
        var verdict = HelloVerdict.Of(new ClientHelloBuilder().WithServerName(sent).Build());

        Assert.Equal(
            (PrereadStatus.Malformed, ClientHelloError.ServerName, TlsAlert.UnrecognizedName), (verdict.Status, verdict.Error, verdict.Alert));
    }

    [Fact]
    public void Advance_EveryByteInAName_IsTakenAsItIsOrRefused()
    {
        const string allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
        for (var b = 0; b <= 0xff; b++)
        {
            byte[] name = [(byte)'x', (byte)b, (byte)'y'];

            var verdict = HelloVerdict.Of(new ClientHelloBuilder().WithServerName(name).Build());

            var expected = allowed.Contains((char)b) ? Encoding.Latin1.GetString(name).ToLowerInvariant() : null;
            Assert.Equal((b, expected), (b, verdict.ServerName));
            Assert.Equal(expected is null ? PrereadStatus.Malformed : PrereadStatus.Hello, verdict.Status);
        }
    }

    private static (PrereadStatus Status, string? Name) StatusAndName(string sent)
    {
        var verdict = HelloVerdict.Of(new ClientHelloBuilder().WithServerName(sent).Build());
        return (verdict.Status, verdict.ServerName);
    }
}
