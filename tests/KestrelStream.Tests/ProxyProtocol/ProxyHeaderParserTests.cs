using System.Text;
using KestrelStream.ProxyProtocol;
using Xunit;
using static KestrelStream.Tests.ProxyProtocol.HeaderBytes;

namespace KestrelStream.Tests.ProxyProtocol;

/// <summary>Headers as the specification shows them, and the ways to break its rules.</summary>
public class ProxyHeaderParserTests
{
    [Theory]
    [InlineData("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443", "192.168.0.1:56324", "192.168.0.11:443")]
    [InlineData("PROXY TCP4 255.255.255.255 0.0.0.0 65535 0", "255.255.255.255:65535", "0.0.0.0:0")]
    [InlineData("PROXY TCP6 2001:db8::1 2001:DB8::2 1 2", "[2001:db8::1]:1", "[2001:db8::2]:2")]
    [InlineData("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1 2", "192.0.2.1:1", "192.0.2.2:2")]
    [InlineData("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535")]
    public void Parse_V1WithAddresses_TellsBoth(string line, string source, string destination)
    {
        var header = Good(V1(line));

        Assert.Equal(1, header.Version);
        Assert.Equal(source, header.Source!.ToString());
        Assert.Equal(destination, header.Destination!.ToString());
    }

    [Theory]
    [InlineData("PROXY UNKNOWN")]
    [InlineData("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535")]
    [InlineData("PROXY UNKNOWN \t\u00ff anything")]
    public void Parse_V1Unknown_HasNoAddress(string line) => Assert.Null(Good(V1(line)).Source);

    [Theory]
    [InlineData("PROXY TCP5 1.2.3.4 1.2.3.4 1 2", nameof(ProxyHeaderError.Protocol))]
    [InlineData("PROXY  TCP4 1.2.3.4 1.2.3.4 1 2", nameof(ProxyHeaderError.Protocol))]
    [InlineData("PROXY UDP4 1.2.3.4 1.2.3.4 1 2", nameof(ProxyHeaderError.Protocol))]
    [InlineData("PROXY UNKNOWNS", nameof(ProxyHeaderError.Protocol))]
    [InlineData("PROXY TCP4", nameof(ProxyHeaderError.Protocol))]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 1", nameof(ProxyHeaderError.Syntax))]
    [InlineData("PROXY TCP4 1.2.3.4  1.2.3.4 1 2", nameof(ProxyHeaderError.Syntax))]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 ", nameof(ProxyHeaderError.Port))]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3", nameof(ProxyHeaderError.Port))]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 1 65536", nameof(ProxyHeaderError.Port))]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 01 2", nameof(ProxyHeaderError.Port))]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 +1 2", nameof(ProxyHeaderError.Port))]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 1 4294967297", nameof(ProxyHeaderError.Port))]
    [InlineData("PROXY TCP4 1.2.3.256 1.2.3.4 1 2", nameof(ProxyHeaderError.Address))]
    [InlineData("PROXY TCP4 1.2.3.04 1.2.3.4 1 2", nameof(ProxyHeaderError.Address))]
    [InlineData("PROXY TCP4 1.2.3 1.2.3.4 1 2", nameof(ProxyHeaderError.Address))]
    [InlineData("PROXY TCP4 1.2.3.4.5 1.2.3.4 1 2", nameof(ProxyHeaderError.Address))]
    [InlineData("PROXY TCP4 0x1.2.3.4 1.2.3.4 1 2", nameof(ProxyHeaderError.Address))]
    [InlineData("PROXY TCP4 ::1 ::1 1 2", nameof(ProxyHeaderError.Address))]
    [InlineData("PROXY TCP4 1.2.3.4 unix:/a 1 0", nameof(ProxyHeaderError.Address))]
    [InlineData("PROXY TCP6 1.2.3.4 1.2.3.4 1 2", nameof(ProxyHeaderError.Address))]
    [InlineData("PROXY TCP6 fe80::1%1 ::1 1 2", nameof(ProxyHeaderError.Address))]
    [InlineData("PROXY TCP6 [::1] ::1 1 2", nameof(ProxyHeaderError.Address))]
    [InlineData("PROXY TCP6 1::2::3 ::1 1 2", nameof(ProxyHeaderError.Address))]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", nameof(ProxyHeaderError.Syntax))]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r ", nameof(ProxyHeaderError.Syntax))]
    public void Parse_BrokenV1_SaysWhy(string line, string error) => AssertBad(V1(line), Enum.Parse<ProxyHeaderError>(error));

    [Fact]
    public void Parse_V1_HasRoomFor107BytesAndNoMore()
    {
        Assert.Null(Good(V1("PROXY UNKNOWN ".PadRight(105, 'x'))).Source);
        AssertBad(V1("PROXY UNKNOWN ".PadRight(106, 'x')), ProxyHeaderError.TooLong);
        AssertBad(Encoding.ASCII.GetBytes("PROXY UNKNOWN ".PadRight(5000, 'x')), ProxyHeaderError.TooLong);
    }

    [Theory]
    [InlineData(0x11, V4Block, "192.0.2.1:56324", "198.51.100.2:443")]
    [InlineData(0x12, V4Block, "192.0.2.1:56324", "198.51.100.2:443")]
    [InlineData(0x21, "20010db800000000000000000000000120010db8000000000000000000000002000101bb", "[2001:db8::1]:1", "[2001:db8::2]:443")]
    [InlineData(0x22, "00000000000000000000ffffc000020100000000000000000000ffffc0000202000101bb", "192.0.2.1:1", "192.0.2.2:443")]
    public void Parse_V2WithAddresses_TellsBoth(byte family, string block, string source, string destination)
    {
        var header = Good(V2(0x21, family, Convert.FromHexString(block)));

        Assert.Equal(2, header.Version);
        Assert.Equal(source, header.Source!.ToString());
        Assert.Equal(destination, header.Destination!.ToString());
    }

    [Fact]
    public void Parse_V2Unix_TellsPathsThatAreText()
    {
        var block = new byte[216];
        "/run/a.sock"u8.CopyTo(block);
        block.AsSpan(108).Fill(0xff);

        var header = Good(V2(0x21, 0x31, block));

        Assert.Equal("/run/a.sock", header.Source!.ToString());
        Assert.Equal("@", header.Destination!.ToString());
    }

    [Theory]
    [InlineData(0x20, 0x00, "")]
    [InlineData(0x20, 0x11, V4Block)]
    [InlineData(0x20, 0x11, "0102")]
    [InlineData(0x20, 0xee, "ffffffffff")]
    [InlineData(0x21, 0x00, "")]
    public void Parse_V2LocalOrUnspecified_HasNoAddress(byte command, byte family, string rest)
    {
        var header = Good(V2(command, family, Convert.FromHexString(rest)));

        Assert.Null(header.Source);
        Assert.Equal(command == 0x20, header.IsLocal);
    }

    [Theory]
    [InlineData(0x11, 0x11, V4Block, nameof(ProxyHeaderError.Command))]
    [InlineData(0x22, 0x11, V4Block, nameof(ProxyHeaderError.Command))]
    [InlineData(0x21, 0x13, V4Block, nameof(ProxyHeaderError.Family))]
    [InlineData(0x21, 0x01, V4Block, nameof(ProxyHeaderError.Family))]
    [InlineData(0x21, 0x41, V4Block, nameof(ProxyHeaderError.Family))]
    [InlineData(0x21, 0x11, "c0000201c6336402dc0401", nameof(ProxyHeaderError.Length))]
    [InlineData(0x21, 0x21, V4Block, nameof(ProxyHeaderError.Length))]
    [InlineData(0x21, 0x31, V4Block, nameof(ProxyHeaderError.Length))]
    [InlineData(0x21, 0x11, V4Block + "0400", nameof(ProxyHeaderError.Tlv))]
    [InlineData(0x21, 0x11, V4Block + "04000200", nameof(ProxyHeaderError.Tlv))]
    [InlineData(0x21, 0x11, V4Block + "010000", nameof(ProxyHeaderError.Tlv))]
    [InlineData(0x21, 0x11, V4Block + "020001610200016a", nameof(ProxyHeaderError.Tlv))]
    [InlineData(0x21, 0x11, V4Block + "20000401000000", nameof(ProxyHeaderError.Tlv))]
    [InlineData(0x21, 0x11, V4Block + "20000701000000002100", nameof(ProxyHeaderError.Tlv))]
    [InlineData(0x21, 0x11, V4Block + "200009010000000021000254", nameof(ProxyHeaderError.Tlv))]
    [InlineData(0x21, 0x11, V4Block + "0300020000", nameof(ProxyHeaderError.Tlv))]
    [InlineData(0x21, 0x11, V4Block + "03000400000000", nameof(ProxyHeaderError.Checksum))]
    public void Parse_BrokenV2_SaysWhy(byte command, byte family, string rest, string error)
        => AssertBad(V2(command, family, Convert.FromHexString(rest)), Enum.Parse<ProxyHeaderError>(error));

    [Fact]
    public void Parse_V2_HasRoomForFourKilobytes()
    {
        Good(V2(0x21, 0x11, [.. Convert.FromHexString(V4Block), .. Tlv(4, new byte[4096 - 16 - 12 - 3])]));
        AssertBad(V2(0x21, 0x11, [.. Convert.FromHexString(V4Block), .. Tlv(4, new byte[4096 - 16 - 12 - 2])]), ProxyHeaderError.TooLong);
        AssertBad(V2(0x20, 0x00, new byte[4081]), ProxyHeaderError.TooLong);
    }

    [Fact]
    public void Parse_V2_HasRoomFor64Tlvs()
    {
        Good(V2WithTlvs([.. Enumerable.Repeat(Tlv(4), 64)]));
        AssertBad(V2WithTlvs([.. Enumerable.Repeat(Tlv(4), 65)]), ProxyHeaderError.TooManyTlvs);
    }

    [Fact]
    public void Parse_UniqueId_IsAtMost128Bytes()
    {
        Assert.Equal(128, Good(V2WithTlvs(Tlv(5, new byte[128]))).UniqueId!.Value.Length);
        AssertBad(V2WithTlvs(Tlv(5, new byte[129])), ProxyHeaderError.Tlv);
    }

    [Fact]
    public void Parse_EveryTlv_IsUnderstood()
    {
        var header = Good(V2WithTlvs(
            Tlv(0x01, "h2"), Tlv(0x02, "www.example.com"), Tlv(0x04, new byte[7]), Tlv(0x05, 1, 2, 3),
            Tlv(0x20, [7, 0, 0, 0, 0, .. Tlv(0x21, "TLSv1.3"), .. Tlv(0x22, "client"), .. Tlv(0x23, "AES"), .. Tlv(0x24, "SHA256"), .. Tlv(0x25, "RSA2048"), .. Tlv(0x26, "X25519"), .. Tlv(0x27, "ed25519"), .. Tlv(0x28, 1)]),
            Tlv(0x30, "ns1"), Tlv(0xea, [1, .. "vpce-0123"u8]), Tlv(0xee, 1, 0x78, 0x56, 0x34, 0x12), Tlv(0xe0, 0, 0, 0, 0, 0, 0, 1, 2), Tlv(0xf0, 9)));

        Assert.Equal("h2"u8.ToArray(), header.Alpn!.Value.ToArray());
        Assert.Equal("www.example.com", header.Authority);
        Assert.Equal([1, 2, 3], header.UniqueId!.Value.ToArray());
        Assert.Equal(
            new ProxyHeaderTls(7, 0) { Version = "TLSv1.3", CommonName = "client", Cipher = "AES", SignatureAlgorithm = "SHA256", KeyAlgorithm = "RSA2048", Group = "X25519", SignatureScheme = "ed25519" },
            header.Tls);
        Assert.Equal(("ns1", "vpce-0123", 0x12345678u, 258ul), (header.NetworkNamespace, header.AwsVpcEndpoint, header.AzureLinkId, header.GcpConnectionId));
    }

    [Fact]
    public void Parse_TextThatIsNotUtf8_IsNoError() => Assert.Equal("\ufffda", Good(V2WithTlvs(Tlv(0x02, 0xff, 0x61))).Authority);

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n")]
    [InlineData("PROXY\t")]
    [InlineData("proxy TCP4")]
    [InlineData("\r\n\r\n\0\r\nQUIT\r")]
    public void Parse_OtherBytes_AreNoHeader(string text)
        => Assert.Equal(ProxyHeaderStatus.NotHeader, ProxyHeaderParser.Parse(Encoding.Latin1.GetBytes(text), out _, out _, out _));

    [Fact]
    public void Parse_EveryCut_NeedsMoreAndThenSaysTheSame()
    {
        foreach (var bytes in new[] { V1("PROXY TCP4 192.0.2.1 192.0.2.2 1 2"), V1("PROXY UNKNOWN"), V2WithTlvs(Tlv(2, "a"), Tlv(5, 1)), V2(0x20, 0) })
        {
            for (var cut = 0; cut < bytes.Length; cut++)
            {
                Assert.Equal(ProxyHeaderStatus.NeedMore, ProxyHeaderParser.Parse(bytes.AsSpan(0, cut), out _, out var atLeast, out _));
                Assert.InRange(atLeast, cut + 1, bytes.Length);
            }

            // What follows is not looked at.
            Assert.Equal(ProxyHeaderStatus.Header, ProxyHeaderParser.Parse([.. bytes, .. bytes], out _, out var length, out _));
            Assert.Equal(bytes.Length, length);
        }
    }

    private static ProxyHeader Good(byte[] bytes)
    {
        var status = ProxyHeaderParser.Parse(bytes, out var header, out var length, out var error);
        Assert.Equal((ProxyHeaderStatus.Header, ProxyHeaderError.None, bytes.Length), (status, error, length));
        return header!;
    }

    private static void AssertBad(byte[] bytes, ProxyHeaderError expected)
    {
        Assert.Equal(ProxyHeaderStatus.Malformed, ProxyHeaderParser.Parse(bytes, out var header, out _, out var error));
        Assert.Equal(expected, error);
        Assert.Null(header);
    }
}
