using System.Buffers.Binary;

namespace KestrelStream.Load.Backend;

/// <summary>The bytes generator and backend agree on.</summary>
internal static class Payload
{
    public const int MessageBytes = 64;
    public const int BulkRequestBytes = 8;

    /// <summary>What the bulk source repeats; a power of two, so that a position in the stream is a position in here.</summary>
    public const int BulkPatternBytes = 1 << 18;

    /// <summary>The small request, and what the echo port is sent.</summary>
    public static readonly byte[] Request = Fill(MessageBytes, 17);

    /// <summary>What the reply port answers.</summary>
    public static readonly byte[] Reply = Fill(MessageBytes, 91);

    public static readonly byte[] BulkPattern = Fill(BulkPatternBytes, 5);

    /// <summary>The request for a transfer: positive = download, negative = upload of that many bytes.</summary>
    public static byte[] BulkRequest(long bytes)
    {
        byte[] request = new byte[BulkRequestBytes];
        BinaryPrimitives.WriteInt64BigEndian(request, bytes);
        return request;
    }

    /// <summary>Whether a piece of a download is what the source has at that position; looks at both ends only, as reading all would cost more than receiving it.</summary>
    public static bool IsPatternAt(long position, ReadOnlySpan<byte> piece)
        => piece[0] == BulkPattern[position & (BulkPatternBytes - 1)]
        && piece[^1] == BulkPattern[(position + piece.Length - 1) & (BulkPatternBytes - 1)];

    private static byte[] Fill(int length, int seed)
    {
        byte[] bytes = GC.AllocateUninitializedArray<byte>(length, pinned: true);
        uint state = (uint)seed;
        for (int i = 0; i < bytes.Length; i++)
        {
            // Numerical Recipes' generator: any fixed noise will do.
            state = (state * 1664525) + 1013904223;
            bytes[i] = (byte)(state >> 24);
        }

        return bytes;
    }
}
