using System.Buffers.Binary;

namespace KestrelStream.Preread.Detection;

/// <summary>
/// The first message of a PostgreSQL client: int32 length of all of it, int32 what it is (PostgreSQL documentation, "Message Formats": StartupMessage of
/// protocol 3, SSLRequest, GSSENCRequest, CancelRequest). Pure.
/// </summary>
internal static class PostgreSqlStartup
{
    /// <summary>Length and code.</summary>
    public const int PrefixBytes = 8;

    /// <summary>What the server takes at most (MAX_STARTUP_PACKET_LENGTH).</summary>
    public const int MaxBytes = 10_000;

    public const int CancelRequest = 80877102;
    public const int SslRequest = 80877103;
    public const int GssEncRequest = 80877104;

    /// <summary>Upper half of the code of a StartupMessage.</summary>
    public const int MajorVersion = 3;

    /// <summary>Code, process id and at least one byte of key; protocol 3.2 has keys of up to 256.</summary>
    private const int MinCancelBytes = 13;
    private const int MaxCancelBytes = 268;

    /// <summary>The beginning of one, and how long all of it is.</summary>
    public static bool IsCancelRequest(ReadOnlySpan<byte> bytes, out int length)
    {
        length = 0;
        if (bytes.Length < PrefixBytes || Judge(bytes) != ProtocolVerdict.Yes || BinaryPrimitives.ReadInt32BigEndian(bytes[sizeof(int)..]) != CancelRequest)
        {
            return false;
        }

        length = BinaryPrimitives.ReadInt32BigEndian(bytes);
        return true;
    }

    public static ProtocolVerdict Judge(ReadOnlySpan<byte> bytes)
    {
        // A length that is none is known by its first bytes: 0x27 0x10 is the largest.
        if (bytes[0] != 0 || (bytes.Length > 1 && bytes[1] != 0) || (bytes.Length > 2 && bytes[2] > MaxBytes >> 8))
        {
            return ProtocolVerdict.No;
        }

        if (bytes.Length < sizeof(int))
        {
            return ProtocolVerdict.NeedMore;
        }

        var length = BinaryPrimitives.ReadInt32BigEndian(bytes);
        if (length is < PrefixBytes or > MaxBytes)
        {
            return ProtocolVerdict.No;
        }

        var code = bytes[sizeof(int)..Math.Min(bytes.Length, PrefixBytes)];
        if (code.Length < sizeof(int))
        {
            var mayBeOne = ProtocolDetector.JudgePrefix(code, [0, MajorVersion]) != ProtocolVerdict.No || ProtocolDetector.JudgePrefix(code, [0x04, 0xd2, 0x16]) != ProtocolVerdict.No;
            return mayBeOne ? ProtocolVerdict.NeedMore : ProtocolVerdict.No;
        }

        var isOne = BinaryPrimitives.ReadInt32BigEndian(code) switch
        {
            SslRequest or GssEncRequest => length == PrefixBytes,
            CancelRequest => length is >= MinCancelBytes and <= MaxCancelBytes,
            var version => version >> 16 == MajorVersion && length > PrefixBytes,
        };
        return isOne ? ProtocolVerdict.Yes : ProtocolVerdict.No;
    }
}
