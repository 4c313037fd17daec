using System.Text;
using KestrelStream.Configuration;

namespace KestrelStream.Tests.Preread.Detection;

/// <summary>First bytes of real clients, and of what only looks like one.</summary>
internal static class ProtocolSamples
{
    /// <summary>Each is of its protocol, and of no other.</summary>
    public static IReadOnlyList<(ClientProtocol Protocol, byte[] Bytes)> All { get; } =
    [
        (ClientProtocol.Http1, Text("GET / HTTP/1.1\r\nHost: a\r\n\r\n")),
        (ClientProtocol.Http1, Text("GET / HTTP/1.0\n\n")),
        (ClientProtocol.Http1, Text("OPTIONS * HTTP/1.1\r\n")),
        (ClientProtocol.Http1, Text("CONNECT a.example.com:443 HTTP/1.1\r\n")),
        (ClientProtocol.Http1, Text("VERSION-CONTROL http://a/b?c=%20 HTTP/1.1\r\n")),
        (ClientProtocol.Http1, Text("M-SEARCH * HTTP/1.1\r\n")),
        (ClientProtocol.Http1, [.. Text("GET /"), 0xc3, 0xa4, .. Text(" HTTP/1.1\r\n")]),
        (ClientProtocol.Http1, Text($"GET /{new string('a', 5000)} HTTP/1.1\r\n")),
        (ClientProtocol.Http2, Text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0")),
        (ClientProtocol.Ssh, Text("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")),
        (ClientProtocol.Ssh, Text("SSH-1.5-1.2.27\n")),
        (ClientProtocol.PostgreSql, Bytes("00000008 04d2162f")),
        (ClientProtocol.PostgreSql, Bytes("00000008 04d21630")),
        (ClientProtocol.PostgreSql, Bytes("00000010 04d2162e 00000001 00000002")),
        (ClientProtocol.PostgreSql, Bytes("0000010c 04d2162e 00000001 00000002")),
        (ClientProtocol.PostgreSql, [.. Bytes("00000014 00030000"), .. Text("user\0me\0\0\0\0\0")]),
        (ClientProtocol.PostgreSql, [.. Bytes("00002710 00030002"), .. Text("user\0me\0")]),
        (ClientProtocol.Rdp, Bytes("0300000b 06 e0 0000 0000 00")),
        (ClientProtocol.Rdp, [.. Bytes("0300002b 26 e0 0000 0000 00"), .. Text("Cookie: mstshash=me\r\n"), .. Bytes("01000800 03000000")]),
        (ClientProtocol.Socks, Bytes("05 01 00")),
        (ClientProtocol.Socks, Bytes("05 03 00 01 02")),
        (ClientProtocol.Socks, [.. Bytes("04 01 0050 7f000001"), .. Text("me\0")]),
        (ClientProtocol.Socks, [.. Bytes("04 02 0050 00000001"), .. Text("\0a.example.com\0")]),
    ];

    /// <summary>Of no protocol.</summary>
    public static IReadOnlyList<byte[]> None { get; } =
    [
        Text("GET key\r\n"),
        Text("get / HTTP/1.1\r\n"),
        Text(" GET / HTTP/1.1\r\n"),
        Text("GET  / HTTP/1.1\r\n"),
        Text("GET / HTTP/1.1 \r\n"),
        Text("GET / HTTP/1.1\rX"),
        Text("GET / HTTP/1.\r\n"),
        Text("GET / HTTP/2.0\r\n"),
        Text("GET / FTP/1.0\r\n"),
        Text("GET\r\n"),
        Text("AVERYLONGWORDTHATISNOTAMETHOD / HTTP/1.1\r\n"),
        [.. Text("GET /"), 0x7f, .. Text(" HTTP/1.1\r\n")],
        Text("PRI * HTTP/2.0\r\n\r\nXX"),
        Text("SSH-3.0-x\r\n"),
        Text("ssh-2.0-x\r\n"),
        Text("EHLO me\r\n"),
        Text("*1\r\n$4\r\nPING\r\n"),
        Bytes("00000007 04d2162f"),
        Bytes("00000009 04d2162f 00"),
        Bytes("00000008 00030000"),
        Bytes("00000008 04d21631"),
        Bytes("0000000c 04d2162e 00000001"),
        Bytes("0000010d 04d2162e 00000001"),
        Bytes("00000014 00020000 00"),
        Bytes("00002711 00030000 00"),
        Bytes("00010014 00030000 00"),
        Bytes("0300000a 05 e0 0000 0000"),
        Bytes("0300000b 07 e0 0000 0000 00"),
        Bytes("0300000b 06 d0 0000 0000 00"),
        Bytes("0300000b 06 e0 0001 0000 00"),
        Bytes("0300000b 06 e0 0000 0000 01"),
        Bytes("0300010b 06 e0 0000 0000 00"),
        Bytes("0301000b"),
        Bytes("05 00"),
        Bytes("04 03 0050 7f000001 00"),
        [.. Bytes("04 01 0050 7f000001"), .. new byte[256].Select(_ => (byte)'a'), 0],
        Bytes("06 01 00"),
    ];

    private static byte[] Text(string text) => Encoding.Latin1.GetBytes(text);

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
