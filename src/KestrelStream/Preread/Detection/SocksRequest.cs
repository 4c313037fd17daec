namespace KestrelStream.Preread.Detection;

/// <summary>
/// SOCKS: version 5 is <c>5, count, methods</c> and nothing behind it, as the client waits for an answer (RFC 1928 §3); version 4 is <c>4, command 1 or 2,
/// port, address, user id, 0</c>, and in 4a a host name and another 0. Pure.
/// </summary>
internal static class SocksRequest
{
    private const int V4FixedBytes = 8;

    /// <summary>Of a user id or a host name.</summary>
    private const int MaxTextBytes = 255;

    public static ProtocolVerdict Judge(ReadOnlySpan<byte> bytes) => bytes[0] switch
    {
        5 => JudgeV5(bytes),
        4 => JudgeV4(bytes),
        _ => ProtocolVerdict.No,
    };

    private static ProtocolVerdict JudgeV5(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 2)
        {
            return ProtocolVerdict.NeedMore;
        }

        var length = 2 + bytes[1];
        return bytes[1] == 0 ? ProtocolVerdict.No : bytes.Length < length ? ProtocolVerdict.NeedMore : ProtocolVerdict.Yes;
    }

    private static ProtocolVerdict JudgeV4(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length >= 2 && bytes[1] is not (1 or 2))
        {
            return ProtocolVerdict.No;
        }

        if (bytes.Length < V4FixedBytes)
        {
            return ProtocolVerdict.NeedMore;
        }

        var user = bytes[V4FixedBytes..];
        var end = user.IndexOf((byte)0);
        return end is >= 0 and <= MaxTextBytes ? ProtocolVerdict.Yes
            : end > MaxTextBytes || user.Length > MaxTextBytes ? ProtocolVerdict.No
            : ProtocolVerdict.NeedMore;
    }
}
