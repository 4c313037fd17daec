namespace KestrelStream.Discovery;

/// <summary>Reads the names in a message (RFC 1035 §4.1.4). Pure; linear in the bytes, whatever they are.</summary>
internal static class DnsNameReader
{
    /// <summary>RFC 1035 §2.3.4: length bytes and the root's zero included.</summary>
    private const int MaxNameBytes = 255;

    private const int MaxLabelBytes = 63;

    private const int HeaderBytes = 12;

    /// <summary>Reads the name at <paramref name="offset"/> and moves that behind it.</summary>
    /// <param name="message">All of it: a name may go on at an earlier place.</param>
    /// <param name="offset">Where the name begins.</param>
    /// <param name="name">In lower case, without a trailing dot; null = it has a byte that no host name has.</param>
    /// <returns>False when the bytes are not a name.</returns>
    public static bool TryRead(ReadOnlySpan<byte> message, ref int offset, out string? name)
    {
        name = null;
        Span<char> text = stackalloc char[MaxNameBytes];
        var length = 0;
        var wireBytes = 1;
        var isHostName = true;
        var at = offset;
        var end = -1;

        // A pointer leads to a place before all that was read of this name, so every jump goes further back and there is no circle.
        var lowest = offset;
        while (true)
        {
            if ((uint)at >= (uint)message.Length)
            {
                return false;
            }

            int lead = message[at++];
            if (lead == 0)
            {
                break;
            }

            if (lead >= 0xC0)
            {
                if (at >= message.Length)
                {
                    return false;
                }

                var target = ((lead & 0x3F) << 8) | message[at++];
                end = end < 0 ? at : end;
                if (target >= lowest || target < HeaderBytes)
                {
                    return false;
                }

                at = lowest = target;
                continue;
            }

            wireBytes += lead + 1;
            if (lead > MaxLabelBytes || wireBytes > MaxNameBytes || message.Length - at < lead)
            {
                return false;
            }

            if (length > 0)
            {
                text[length++] = '.';
            }

            foreach (var b in message.Slice(at, lead))
            {
                var c = char.ToLowerInvariant((char)b);

                // A dot within a label would make it look like two.
                isHostName &= char.IsAsciiLetterOrDigit(c) || c is '-' or '_';
                text[length++] = c;
            }

            at += lead;
        }

        offset = end < 0 ? at : end;
        name = isHostName ? new string(text[..length]) : null;
        return true;
    }
}
