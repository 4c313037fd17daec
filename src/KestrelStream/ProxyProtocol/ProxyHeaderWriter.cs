using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KestrelStream.ProxyProtocol;

/// <summary>Writes a PROXY header, from fields only: nothing of a received header is copied as it was. Pure.</summary>
internal static class ProxyHeaderWriter
{
    /// <summary>All that is written fits: addresses, the longest ALPN, texts of at most <see cref="MaxTextBytes"/>, longer ones being left out.</summary>
    private const int MaxBytes = 2560;

    /// <summary>Longest text of one TLV: longer than any name.</summary>
    private const int MaxTextBytes = 255;

    /// <summary>The line of v1. It has one word for everything but TCP over IP.</summary>
    public static byte[] WriteV1(ProxyHeader header)
    {
        if (header.IsLocal || header.Source is not IPEndPoint source || header.Destination is not IPEndPoint destination)
        {
            return "PROXY UNKNOWN\r\n"u8.ToArray();
        }

        var (from, to) = OfOneFamily(source.Address, destination.Address);
        var family = from.AddressFamily == AddressFamily.InterNetwork ? "TCP4" : "TCP6";
        return Encoding.ASCII.GetBytes(string.Create(
            System.Globalization.CultureInfo.InvariantCulture, $"PROXY {family} {from} {to} {source.Port} {destination.Port}\r\n"));
    }

    /// <summary>The binary form.</summary>
    /// <param name="header">What to say; of its TLVs those that are set.</param>
    /// <param name="withChecksum">Adds a CRC32c, as the last TLV.</param>
    public static byte[] WriteV2(ProxyHeader header, bool withChecksum)
    {
        Span<byte> bytes = stackalloc byte[MaxBytes];
        ProxyHeaderParser.V2Signature.CopyTo(bytes);
        var at = ProxyHeaderParser.V2PrefixBytes;
        bytes[12] = header.IsLocal ? ProxyHeaderV2.Local : ProxyHeaderV2.Proxy;
        bytes[13] = header.IsLocal ? ProxyHeaderV2.Unspecified : WriteAddresses(bytes, ref at, header);
        if (!header.IsLocal)
        {
            WriteTlvs(bytes, ref at, header);
        }

        if (withChecksum)
        {
            WriteTlv(bytes, ref at, ProxyTlv.Crc32C, stackalloc byte[sizeof(uint)]);
        }

        BinaryPrimitives.WriteUInt16BigEndian(bytes[14..], (ushort)(at - ProxyHeaderParser.V2PrefixBytes));
        if (withChecksum)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes[(at - sizeof(uint))..], Crc32C.Of(bytes[..at], at - sizeof(uint)));
        }

        return bytes[..at].ToArray();
    }

    private static byte WriteAddresses(Span<byte> bytes, ref int at, ProxyHeader header)
    {
        if (header.Source is UnixDomainSocketEndPoint && header.Destination is UnixDomainSocketEndPoint)
        {
            var block = bytes.Slice(at, 2 * ProxyTlv.UnixPathBytes);
            block.Clear();
            WritePath(header.Source.ToString()!, block);
            WritePath(header.Destination.ToString()!, block[ProxyTlv.UnixPathBytes..]);
            at += block.Length;
            return ProxyHeaderV2.UnixStream;
        }

        if (header.Source is not IPEndPoint source || header.Destination is not IPEndPoint destination)
        {
            return ProxyHeaderV2.Unspecified;
        }

        var (from, to) = OfOneFamily(source.Address, destination.Address);
        foreach (var address in (ReadOnlySpan<IPAddress>)[from, to])
        {
            address.TryWriteBytes(bytes[at..], out var written);
            at += written;
        }

        foreach (var port in (ReadOnlySpan<int>)[source.Port, destination.Port])
        {
            BinaryPrimitives.WriteUInt16BigEndian(bytes[at..], (ushort)port);
            at += sizeof(ushort);
        }

        return from.AddressFamily == AddressFamily.InterNetwork ? ProxyHeaderV2.Tcp4 : ProxyHeaderV2.Tcp6;
    }

    private static void WriteTlvs(Span<byte> bytes, ref int at, ProxyHeader header)
    {
        if (header.Alpn is { Length: > 0 } alpn)
        {
            WriteTlv(bytes, ref at, ProxyTlv.Alpn, alpn.Span);
        }

        WriteText(bytes, ref at, ProxyTlv.Authority, header.Authority);
        if (header.UniqueId is { } id)
        {
            WriteTlv(bytes, ref at, ProxyTlv.UniqueId, id.Span);
        }

        if (header.Tls is { } tls)
        {
            var start = at;
            at += ProxyTlv.HeaderBytes;
            bytes[at++] = tls.Client;
            BinaryPrimitives.WriteUInt32BigEndian(bytes[at..], tls.Verify);
            at += sizeof(uint);
            WriteText(bytes, ref at, ProxyTlv.SslVersion, tls.Version);
            WriteText(bytes, ref at, ProxyTlv.SslCommonName, tls.CommonName);
            WriteText(bytes, ref at, ProxyTlv.SslCipher, tls.Cipher);
            bytes[start] = ProxyTlv.Ssl;
            BinaryPrimitives.WriteUInt16BigEndian(bytes[(start + 1)..], (ushort)(at - start - ProxyTlv.HeaderBytes));
        }
    }

    private static void WriteText(Span<byte> bytes, ref int at, byte type, string? text)
    {
        if (text is not null && Encoding.UTF8.GetByteCount(text) <= MaxTextBytes)
        {
            Span<byte> value = stackalloc byte[MaxTextBytes];
            WriteTlv(bytes, ref at, type, value[..Encoding.UTF8.GetBytes(text, value)]);
        }
    }

    private static void WriteTlv(Span<byte> bytes, ref int at, byte type, ReadOnlySpan<byte> value)
    {
        bytes[at] = type;
        BinaryPrimitives.WriteUInt16BigEndian(bytes[(at + 1)..], (ushort)value.Length);
        value.CopyTo(bytes[(at + ProxyTlv.HeaderBytes)..]);
        at += ProxyTlv.HeaderBytes + value.Length;
    }

    private static void WritePath(string path, Span<byte> field)
    {
        if (path.Length < ProxyTlv.UnixPathBytes && path.StartsWith('/'))
        {
            Encoding.ASCII.GetBytes(path, field);
        }
    }

    /// <summary>A header has one family for both: an IPv4 address next to an IPv6 one is written as a mapped one.</summary>
    private static (IPAddress From, IPAddress To) OfOneFamily(IPAddress from, IPAddress to)
    {
        (from, to) = (Plain(from), Plain(to));
        return from.AddressFamily == to.AddressFamily ? (from, to) : (from.MapToIPv6(), to.MapToIPv6());
    }

    /// <summary>Without mapping, and without the scope, which means nothing on another machine.</summary>
    private static IPAddress Plain(IPAddress address)
        => address.IsIPv4MappedToIPv6 ? address.MapToIPv4()
            : address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId != 0 ? new IPAddress(address.GetAddressBytes())
            : address;
}
