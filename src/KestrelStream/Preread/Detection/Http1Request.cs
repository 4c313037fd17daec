using System.Buffers;

namespace KestrelStream.Preread.Detection;

/// <summary>
/// HTTP/1.x: a whole request line, <c>method SP request-target SP HTTP/1.digit CRLF</c> (RFC 9112 §3). All of it, since other protocols have lines that begin
/// like one: <c>GET key</c> is Redis. Pure.
/// </summary>
internal static class Http1Request
{
    /// <summary>Longest method of the registry is 17 (UPDATEREDIRECTREF). Longer ones are no use to anybody.</summary>
    private const int MaxMethodBytes = 24;

    /// <summary>RFC 9110 §5.6.2 without lower-case letters: methods are case-sensitive, and all that exist are upper-case.</summary>
    private static readonly SearchValues<byte> MethodBytes = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"u8);

    /// <summary>What ends a request-target. Bytes from 0x80 on are not allowed in one, but are sent, and are the server's to refuse.</summary>
    private static readonly SearchValues<byte> NotTarget = SearchValues.Create([.. Enumerable.Range(0, 0x21).Select(b => (byte)b), 0x7f]);

    private static ReadOnlySpan<byte> Version => "HTTP/1."u8;

    public static ProtocolVerdict Judge(ReadOnlySpan<byte> bytes)
    {
        var method = bytes[..Math.Min(bytes.Length, MaxMethodBytes + 1)];
        var space = method.IndexOfAnyExcept(MethodBytes);
        if (space < 0)
        {
            return method.Length > MaxMethodBytes ? ProtocolVerdict.No : ProtocolVerdict.NeedMore;
        }

        if (space == 0 || bytes[space] != ' ')
        {
            return ProtocolVerdict.No;
        }

        var target = bytes[(space + 1)..];
        var end = target.IndexOfAny(NotTarget);
        if (end < 0)
        {
            return ProtocolVerdict.NeedMore;
        }

        return end == 0 || target[end] != ' ' ? ProtocolVerdict.No : JudgeVersion(target[(end + 1)..]);
    }

    /// <summary>A bare LF ends a line too (RFC 9112 §2.2).</summary>
    private static ProtocolVerdict JudgeVersion(ReadOnlySpan<byte> bytes)
    {
        var verdict = ProtocolDetector.JudgePrefix(bytes, Version);
        if (verdict != ProtocolVerdict.Yes)
        {
            return verdict;
        }

        return bytes[Version.Length..] switch
        {
            [] => ProtocolVerdict.NeedMore,
            [< (byte)'0' or > (byte)'9', ..] => ProtocolVerdict.No,
            [_] or [_, (byte)'\r'] => ProtocolVerdict.NeedMore,
            [_, (byte)'\n', ..] or [_, (byte)'\r', (byte)'\n', ..] => ProtocolVerdict.Yes,
            _ => ProtocolVerdict.No,
        };
    }
}
