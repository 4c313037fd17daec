using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace KestrelStream.Transport.EventLoop;

/// <summary>
/// The address of a peer as the kernel told it, without an object: most sessions are never asked for theirs. Also writes addresses for
/// the kernel. Immutable.
/// </summary>
internal readonly unsafe struct NativeAddress
{
    /// <summary>A client's on a unix socket, which has no path. The constructor takes none without one; an address of a family and nothing else is one.</summary>
    private static readonly EndPoint s_unnamed = new UnixDomainSocketEndPoint("/").Create(new SocketAddress(AddressFamily.Unix, sizeof(ushort)));

    // struct sockaddr_in: family u16, port u16 (network order), address 4.
    private const int InBytes = 16;

    // struct sockaddr_in6: family u16, port u16, flow info u32, address 16, scope u32.
    private const int In6Bytes = 28;
    private const int AddressIn6 = 8;
    private const int ScopeIn6 = 24;

    private readonly ushort _family;
    private readonly ushort _port;
    private readonly uint _scope;
    private readonly ulong _high;
    private readonly ulong _low;

    private NativeAddress(ushort family, ushort port, uint scope, ulong high, ulong low)
    {
        _family = family;
        _port = port;
        _scope = scope;
        _high = high;
        _low = low;
    }

    /// <summary>Reads a sockaddr; an empty one when it is of no known family.</summary>
    public static NativeAddress Read(byte* address, int count)
    {
        var family = count >= sizeof(ushort) ? *(ushort*)address : (ushort)0;
        return family switch
        {
            Native.AF_INET when count >= InBytes
                => new NativeAddress(family, BinaryPrimitives.ReverseEndianness(*(ushort*)(address + 2)), 0, *(uint*)(address + 4), 0),
            Native.AF_INET6 when count >= In6Bytes
                => new NativeAddress(
                    family,
                    BinaryPrimitives.ReverseEndianness(*(ushort*)(address + 2)),
                    *(uint*)(address + ScopeIn6),
                    Unsafe.ReadUnaligned<ulong>(address + AddressIn6),
                    Unsafe.ReadUnaligned<ulong>(address + AddressIn6 + 8)),
            _ => new NativeAddress(family, 0, 0, 0, 0),
        };
    }

    /// <summary>Null when there was none. The peer of a unix socket has no name of use.</summary>
    public EndPoint? ToEndPoint()
    {
        switch (_family)
        {
            case Native.AF_INET:
                return new IPEndPoint((long)_high, _port);

            case Native.AF_INET6:
                Span<byte> bytes = stackalloc byte[16];
                BitConverter.TryWriteBytes(bytes, _high);
                BitConverter.TryWriteBytes(bytes[8..], _low);
                return new IPEndPoint(new IPAddress(bytes, _scope), _port);

            case Native.AF_UNIX:
                return s_unnamed;

            default:
                return null;
        }
    }

    /// <summary>The address family of an endpoint; 0 = not one that can be dialled.</summary>
    public static int FamilyOf(EndPoint endPoint) => endPoint.AddressFamily switch
    {
        AddressFamily.InterNetwork => Native.AF_INET,
        AddressFamily.InterNetworkV6 => Native.AF_INET6,
        AddressFamily.Unix => Native.AF_UNIX,
        _ => 0,
    };

    /// <summary>Writes a sockaddr into <see cref="Native.SockAddrBytes"/> of room and gives its length. Allocates for unix sockets only.</summary>
    public static int Write(EndPoint endPoint, byte* address)
    {
        if (endPoint is IPEndPoint ip)
        {
            var isV6 = ip.AddressFamily == AddressFamily.InterNetworkV6;
            var length = isV6 ? In6Bytes : InBytes;
            new Span<byte>(address, length).Clear();
            *(ushort*)address = (ushort)(isV6 ? Native.AF_INET6 : Native.AF_INET);
            *(ushort*)(address + 2) = BinaryPrimitives.ReverseEndianness((ushort)ip.Port);
            ip.Address.TryWriteBytes(new Span<byte>(address + (isV6 ? AddressIn6 : 4), isV6 ? 16 : 4), out _);
            if (isV6)
            {
                *(uint*)(address + ScopeIn6) = (uint)ip.Address.ScopeId;
            }

            return length;
        }

        var serialized = endPoint.Serialize();
        var count = Math.Min(serialized.Size, Native.SockAddrBytes);
        serialized.Buffer.Span[..count].CopyTo(new Span<byte>(address, count));
        return count;
    }
}
