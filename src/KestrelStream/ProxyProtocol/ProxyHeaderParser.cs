using System.Net;
using KestrelStream.Access;

namespace KestrelStream.ProxyProtocol;

/// <summary>
/// Judges the first bytes of a connection as a PROXY header of either version, strictly by HAProxy's proxy-protocol.txt. Pure; never throws.
/// A verdict is given as early as the bytes allow.
/// </summary>
internal static class ProxyHeaderParser
{
    /// <summary>A v1 line with its line end (§2.1).</summary>
    public const int MaxV1Bytes = 107;

    /// <summary>All of a v2 header. The format allows 64 KiB, which nobody needs who is not out to fill memory.</summary>
    public const int MaxV2Bytes = 4096;

    /// <summary>The shortest header of all: <c>PROXY UNKNOWN</c> and its line end.</summary>
    public const int MinBytes = 15;

    /// <summary>Signature, command, family and length of v2: what tells how long the rest is.</summary>
    public const int V2PrefixBytes = 16;

    public static ReadOnlySpan<byte> V2Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    private static ReadOnlySpan<byte> V1Signature => "PROXY "u8;

    /// <param name="bytes">Everything received so far.</param>
    /// <param name="header">Set with <see cref="ProxyHeaderStatus.Header"/>.</param>
    /// <param name="length">With it: how many bytes are the header's; what follows is the client's. With NeedMore: at least so many are needed in all.</param>
    /// <param name="error">Why it is none.</param>
    public static ProxyHeaderStatus Parse(ReadOnlySpan<byte> bytes, out ProxyHeader? header, out int length, out ProxyHeaderError error)
    {
        header = null;
        error = ProxyHeaderError.None;
        length = MinBytes;
        if (bytes.IsEmpty)
        {
            return ProxyHeaderStatus.NeedMore;
        }

        if (IsPrefix(bytes, V1Signature))
        {
            return ProxyHeaderV1.Parse(bytes, out header, out length, out error);
        }

        if (IsPrefix(bytes, V2Signature))
        {
            return ProxyHeaderV2.Parse(bytes, out header, out length, out error);
        }

        error = ProxyHeaderError.NotHeader;
        return ProxyHeaderStatus.NotHeader;
    }

    /// <summary>The address that people search a log for: never ::ffff:a.b.c.d.</summary>
    internal static IPEndPoint EndPointOf(IPAddress address, int port) => new(NetworkSyntax.Plain(address), port);

    /// <summary>Whether one of the two is the beginning of the other.</summary>
    private static bool IsPrefix(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> signature)
    {
        var count = Math.Min(bytes.Length, signature.Length);
        return bytes[..count].SequenceEqual(signature[..count]);
    }
}
