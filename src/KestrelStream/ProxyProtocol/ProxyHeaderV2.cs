using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KestrelStream.ProxyProtocol;

/// <summary>The binary form (§2.2): signature, command, family, length, addresses, TLVs. Pure.</summary>
internal static class ProxyHeaderV2
{
    public const byte Local = 0x20;
    public const byte Proxy = 0x21;
    public const byte Unspecified = 0x00;
    public const byte Tcp4 = 0x11;
    public const byte Udp4 = 0x12;
    public const byte Tcp6 = 0x21;
    public const byte Udp6 = 0x22;
    public const byte UnixStream = 0x31;
    public const byte UnixDatagram = 0x32;
    public const int V4AddressBytes = 4;
    public const int V6AddressBytes = 16;

    private const int CommandAt = 12;

    /// <summary>An endpoint cannot be made without any path.</summary>
    private static readonly UnixDomainSocketEndPoint s_nameless = new("\0");

    private const int FamilyAt = 13;
    private const int LengthAt = 14;

    public static ProxyHeaderStatus Parse(ReadOnlySpan<byte> bytes, out ProxyHeader? header, out int length, out ProxyHeaderError error)
    {
        header = null;
        length = ProxyHeaderParser.V2PrefixBytes;
        error = CheckPrefix(bytes, ref length);
        if (error != ProxyHeaderError.None)
        {
            return ProxyHeaderStatus.Malformed;
        }

        if (bytes.Length < length || bytes.Length < ProxyHeaderParser.V2PrefixBytes)
        {
            return ProxyHeaderStatus.NeedMore;
        }

        var whole = bytes[..length];
        if (whole[CommandAt] == Local)
        {
            // The rest is skipped as it is, its family too.
            header = new ProxyHeader { Version = 2, IsLocal = true };
            return ProxyHeaderStatus.Header;
        }

        var addressBytes = AddressBytesOf(whole[FamilyAt]);
        var addressed = ParseAddresses(whole[FamilyAt], whole.Slice(ProxyHeaderParser.V2PrefixBytes, addressBytes));
        error = ProxyTlvParser.Parse(whole, ProxyHeaderParser.V2PrefixBytes + addressBytes, addressed, out header);
        return error == ProxyHeaderError.None ? ProxyHeaderStatus.Header : ProxyHeaderStatus.Malformed;
    }

    /// <summary>Checks what has come of the first 16 bytes, and tells the whole length once they are all there.</summary>
    private static ProxyHeaderError CheckPrefix(ReadOnlySpan<byte> bytes, ref int length)
    {
        if (bytes.Length > CommandAt && bytes[CommandAt] is not (Local or Proxy))
        {
            return ProxyHeaderError.Command;
        }

        var isLocal = bytes.Length > CommandAt && bytes[CommandAt] == Local;
        var addressBytes = bytes.Length > FamilyAt && !isLocal ? AddressBytesOf(bytes[FamilyAt]) : 0;
        if (addressBytes < 0)
        {
            return ProxyHeaderError.Family;
        }

        if (bytes.Length < ProxyHeaderParser.V2PrefixBytes)
        {
            return ProxyHeaderError.None;
        }

        var rest = BinaryPrimitives.ReadUInt16BigEndian(bytes[LengthAt..]);
        length += rest;
        return rest < addressBytes ? ProxyHeaderError.Length
            : length > ProxyHeaderParser.MaxV2Bytes ? ProxyHeaderError.TooLong
            : ProxyHeaderError.None;
    }

    /// <summary>Negative = no such family.</summary>
    private static int AddressBytesOf(byte family) => family switch
    {
        Unspecified => 0,
        Tcp4 or Udp4 => 2 * (V4AddressBytes + sizeof(ushort)),
        Tcp6 or Udp6 => 2 * (V6AddressBytes + sizeof(ushort)),
        UnixStream or UnixDatagram => 2 * ProxyTlv.UnixPathBytes,
        _ => -1,
    };

    private static ProxyHeader ParseAddresses(byte family, ReadOnlySpan<byte> block)
    {
        var header = new ProxyHeader { Version = 2 };
        switch (family)
        {
            case Unspecified:
                return header;

            case UnixStream or UnixDatagram:
                return header with { Source = UnixEndPointOf(block[..ProxyTlv.UnixPathBytes]), Destination = UnixEndPointOf(block[ProxyTlv.UnixPathBytes..]) };
        }

        // Both addresses, then both ports.
        var size = family is Tcp4 or Udp4 ? V4AddressBytes : V6AddressBytes;
        var ports = block[(2 * size)..];
        return header with
        {
            Source = ProxyHeaderParser.EndPointOf(new IPAddress(block[..size]), BinaryPrimitives.ReadUInt16BigEndian(ports)),
            Destination = ProxyHeaderParser.EndPointOf(new IPAddress(block[size..(2 * size)]), BinaryPrimitives.ReadUInt16BigEndian(ports[sizeof(ushort)..])),
        };
    }

    /// <summary>A path that could not be one in print (abstract, not ASCII, not ended) is left out: it is a client without a name, as most are.</summary>
    private static UnixDomainSocketEndPoint UnixEndPointOf(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        var path = end > 0 ? field[..end] : default;
        return path.IsEmpty || path.ContainsAnyExceptInRange((byte)0x20, (byte)0x7e) ? s_nameless : new UnixDomainSocketEndPoint(Encoding.ASCII.GetString(path));
    }
}
