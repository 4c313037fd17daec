using System.Buffers.Binary;
using System.Text;

namespace KestrelStream.ProxyProtocol;

/// <summary>The TLVs behind the addresses of a v2 header. Lengths nest exactly; a type of ours stands there once. Unknown types are passed over. Pure.</summary>
internal static class ProxyTlvParser
{
    private const int SslFixedBytes = 5;

    /// <param name="whole">The whole header.</param>
    /// <param name="start">Where its TLVs begin.</param>
    /// <param name="addressed">What is known already.</param>
    /// <param name="header">The same with what the TLVs say; null on error.</param>
    public static ProxyHeaderError Parse(ReadOnlySpan<byte> whole, int start, ProxyHeader addressed, out ProxyHeader? header)
    {
        header = null;
        var result = addressed;
        var seen = 0UL;
        var count = 0;
        for (var at = start; at < whole.Length;)
        {
            if (!TryTake(whole, ref at, out var type, out var value))
            {
                return ProxyHeaderError.Tlv;
            }

            if (++count > ProxyTlv.MaxCount)
            {
                return ProxyHeaderError.TooManyTlvs;
            }

            if (type == ProxyTlv.Crc32C)
            {
                if (value.Length != sizeof(uint))
                {
                    return ProxyHeaderError.Tlv;
                }

                if (BinaryPrimitives.ReadUInt32BigEndian(value) != Crc32C.Of(whole, at - sizeof(uint)))
                {
                    return ProxyHeaderError.Checksum;
                }
            }

            // Two answers to one question: nobody can tell which one another reader of the header believes.
            if (BitOf(type) is var bit && (seen & bit) != 0)
            {
                return ProxyHeaderError.Tlv;
            }

            seen |= bit;
            if (Apply(result, type, value) is not { } next)
            {
                return ProxyHeaderError.Tlv;
            }

            result = next;
        }

        header = result;
        return ProxyHeaderError.None;
    }

    /// <summary>For types that mean something here and may stand there once; 0 for others.</summary>
    private static ulong BitOf(byte type) => type switch
    {
        ProxyTlv.Alpn or ProxyTlv.Authority or ProxyTlv.Crc32C or ProxyTlv.UniqueId or ProxyTlv.Ssl or ProxyTlv.NetworkNamespace => 1UL << type,
        _ => 0,
    };

    /// <summary>Null = the value is not as its type says.</summary>
    private static ProxyHeader? Apply(ProxyHeader header, byte type, ReadOnlySpan<byte> value)
    {
        switch (type)
        {
            case ProxyTlv.Alpn:
                return value.Length is 0 or > byte.MaxValue ? null : header with { Alpn = value.ToArray() };

            case ProxyTlv.Authority:
                return header with { Authority = TextOf(value) };

            case ProxyTlv.UniqueId:
                return value.Length > ProxyTlv.MaxUniqueIdBytes ? null : header with { UniqueId = value.ToArray() };

            case ProxyTlv.Ssl:
                return ParseSsl(value) is { } tls ? header with { Tls = tls } : null;

            case ProxyTlv.NetworkNamespace:
                return header with { NetworkNamespace = TextOf(value) };

            // Types that the specification leaves to whoever uses them: what does not look like theirs is someone else's.
            case ProxyTlv.Aws when value is [ProxyTlv.AwsVpcEndpoint, .. var endpoint]:
                return header with { AwsVpcEndpoint = TextOf(endpoint) };

            case ProxyTlv.Azure when value is [ProxyTlv.AzureLinkId, _, _, _, _]:
                return header with { AzureLinkId = BinaryPrimitives.ReadUInt32LittleEndian(value[1..]) };

            case ProxyTlv.GcpConnectionId when value.Length == sizeof(ulong):
                return header with { GcpConnectionId = BinaryPrimitives.ReadUInt64BigEndian(value) };

            default:
                return header;
        }
    }

    private static ProxyHeaderTls? ParseSsl(ReadOnlySpan<byte> value)
    {
        if (value.Length < SslFixedBytes)
        {
            return null;
        }

        var tls = new ProxyHeaderTls(value[0], BinaryPrimitives.ReadUInt32BigEndian(value[1..]));
        var count = 0;
        for (var at = SslFixedBytes; at < value.Length;)
        {
            if (!TryTake(value, ref at, out var type, out var text) || ++count > ProxyTlv.MaxCount)
            {
                return null;
            }

            tls = type switch
            {
                ProxyTlv.SslVersion => tls with { Version = TextOf(text) },
                ProxyTlv.SslCommonName => tls with { CommonName = TextOf(text) },
                ProxyTlv.SslCipher => tls with { Cipher = TextOf(text) },
                ProxyTlv.SslSignatureAlgorithm => tls with { SignatureAlgorithm = TextOf(text) },
                ProxyTlv.SslKeyAlgorithm => tls with { KeyAlgorithm = TextOf(text) },
                ProxyTlv.SslGroup => tls with { Group = TextOf(text) },
                ProxyTlv.SslSignatureScheme => tls with { SignatureScheme = TextOf(text) },
                _ => tls,
            };
        }

        return tls;
    }

    private static bool TryTake(ReadOnlySpan<byte> bytes, ref int at, out byte type, out ReadOnlySpan<byte> value)
    {
        type = 0;
        value = default;
        if (bytes.Length - at < ProxyTlv.HeaderBytes)
        {
            return false;
        }

        type = bytes[at];
        var length = BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 1)..]);
        at += ProxyTlv.HeaderBytes;
        if (bytes.Length - at < length)
        {
            return false;
        }

        value = bytes.Slice(at, length);
        at += length;
        return true;
    }

    /// <summary>What is not UTF-8 in it becomes U+FFFD; it does not throw.</summary>
    private static string TextOf(ReadOnlySpan<byte> value) => Encoding.UTF8.GetString(value);
}
