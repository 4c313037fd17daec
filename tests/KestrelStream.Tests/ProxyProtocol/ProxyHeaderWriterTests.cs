using System.Net;
using System.Text;
using KestrelStream.ProxyProtocol;
using Xunit;
using static KestrelStream.Tests.ProxyProtocol.HeaderBytes;

namespace KestrelStream.Tests.ProxyProtocol;

/// <summary>What is sent, byte by byte, and that it reads back as it was meant.</summary>
public class ProxyHeaderWriterTests
{
    [Theory]
    [InlineData("192.0.2.1:56324", "198.51.100.2:443", "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n")]
    [InlineData("[2001:db8::1]:1", "[2001:db8::2]:2", "PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n")]
    [InlineData("[::ffff:192.0.2.1]:1", "198.51.100.2:2", "PROXY TCP4 192.0.2.1 198.51.100.2 1 2\r\n")]
    [InlineData("192.0.2.1:1", "[2001:db8::2]:2", "PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 1 2\r\n")]
    [InlineData(null, null, "PROXY UNKNOWN\r\n")]
    public void WriteV1_Addresses_IsALine(string? source, string? destination, string line)
        => Assert.Equal(line, Encoding.ASCII.GetString(ProxyHeaderWriter.WriteV1(Header(source, destination))));

    [Fact]
    public void WriteV2_Addresses_IsTheGoldenHeader()
        => Assert.Equal(V2(0x21, 0x11, Convert.FromHexString(V4Block)), ProxyHeaderWriter.WriteV2(Header("192.0.2.1:56324", "198.51.100.2:443"), withChecksum: false));

    [Fact]
    public void WriteV2_Local_IsSixteenBytes()
        => Assert.Equal(V2(0x20, 0), ProxyHeaderWriter.WriteV2(Header("192.0.2.1:1", "192.0.2.2:2") with { IsLocal = true, Authority = "a" }, withChecksum: false));

    /// <summary>The checksum was computed by another implementation of CRC-32/ISCSI.</summary>
    [Fact]
    public void WriteV2_WithChecksum_IsTheGoldenHeader()
        => Assert.Equal(
            Convert.FromHexString(Signature + "2111001b" + V4Block + "020005612e622e63" + "030004" + GoldenChecksum),
            ProxyHeaderWriter.WriteV2(Header("192.0.2.1:56324", "198.51.100.2:443") with { Authority = "a.b.c" }, withChecksum: true));

    [Theory]
    [InlineData("192.0.2.1:1", "192.0.2.2:2")]
    [InlineData("[2001:db8::1]:65535", "[::1]:1")]
    [InlineData(null, null)]
    public void WriteV2_Everything_ReadsBack(string? source, string? destination)
    {
        var header = Header(source, destination) with
        {
            Alpn = "h2"u8.ToArray(),
            Authority = "www.example.com",
            UniqueId = new byte[] { 1, 2, 3 },
            Tls = new ProxyHeaderTls(1, 1) { Version = "TLSv1.3", Cipher = "TLS_AES_128_GCM_SHA256", CommonName = "ü" },
        };

        var bytes = ProxyHeaderWriter.WriteV2(header, withChecksum: true);
        Assert.Equal(ProxyHeaderStatus.Header, ProxyHeaderParser.Parse(bytes, out var read, out _, out _));

        Assert.Equal("h2"u8.ToArray(), read!.Alpn!.Value.ToArray());
        Assert.Equal([1, 2, 3], read.UniqueId!.Value.ToArray());
        Assert.Equal(header with { Alpn = null, UniqueId = null }, read with { Alpn = null, UniqueId = null });
        bytes[^1] ^= 1;
        Assert.Equal(ProxyHeaderStatus.Malformed, ProxyHeaderParser.Parse(bytes, out _, out _, out _));
    }

    private const string GoldenChecksum = "7a8b3d10";

    private static ProxyHeader Header(string? source, string? destination) => new()
    {
        Version = 2,
        Source = source is null ? null : IPEndPoint.Parse(source),
        Destination = destination is null ? null : IPEndPoint.Parse(destination),
    };
}
