using System.Numerics;

namespace KestrelStream.ProxyProtocol;

/// <summary>The checksum of a v2 header (§2.2.3, RFC 4960 appendix B): over the whole header, with its own four bytes as zeros. Pure.</summary>
internal static class Crc32C
{
    public static uint Of(ReadOnlySpan<byte> header, int checksumAt)
    {
        var crc = uint.MaxValue;
        for (var i = 0; i < header.Length; i++)
        {
            crc = BitOperations.Crc32C(crc, (uint)(i - checksumAt) < sizeof(uint) ? (byte)0 : header[i]);
        }

        return ~crc;
    }
}
