using System.Buffers.Binary;

namespace KestrelStream.Preread.Detection;

/// <summary>
/// RDP: an X.224 Connection Request in a TPKT packet ([MS-RDPBCGR] 2.2.1.1, RFC 1006 §6). Pure.
/// </summary>
/// <remarks>
/// <code>
///  0 version 3 | 1 reserved 0 | 2 length of all, big-endian 16 | 4 length of the rest | 5 0xe0 connection request | 6 destination 0 (16) | 8 source (16) | 10 class 0
/// </code>
/// </remarks>
internal static class RdpConnectionRequest
{
    private const int PrefixBytes = 11;

    /// <summary>A cookie or routing token of 255 bytes and a negotiation request at most: the length of the rest is one byte.</summary>
    private const int MaxBytes = 5 + byte.MaxValue;

    public static ProtocolVerdict Judge(ReadOnlySpan<byte> bytes)
    {
        if (ProtocolDetector.JudgePrefix(bytes, [3, 0]) == ProtocolVerdict.No)
        {
            return ProtocolVerdict.No;
        }

        if (bytes.Length >= 4)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
            if (length is < PrefixBytes or > MaxBytes || (bytes.Length >= 5 && bytes[4] != length - 5))
            {
                return ProtocolVerdict.No;
            }
        }

        if ((bytes.Length >= 6 && bytes[5] != 0xe0) || (bytes.Length >= 7 && bytes[6] != 0) || (bytes.Length >= 8 && bytes[7] != 0))
        {
            return ProtocolVerdict.No;
        }

        return bytes.Length < PrefixBytes ? ProtocolVerdict.NeedMore : bytes[10] == 0 ? ProtocolVerdict.Yes : ProtocolVerdict.No;
    }
}
