using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace KestrelStream.Limits;

/// <summary>Who counts as one client under some limits: the network that an address is in.</summary>
/// <param name="Scope">The limits: of which listener or route.</param>
/// <param name="High">First half of the network; IPv4 addresses are mapped ones.</param>
/// <param name="Low">Second half.</param>
internal readonly record struct ClientKey(int Scope, ulong High, ulong Low)
{
    private const ulong Mapped = 0xffff_0000_0000;

    /// <summary>False = it has no address, as on a unix socket, and is nobody in particular.</summary>
    public static bool TryCreate(int scope, EndPoint? client, int prefixV4, int prefixV6, out ClientKey key)
    {
        key = default;
        if (client is not IPEndPoint { Address: var address })
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            key = new ClientKey(scope, 0, Mapped | Masked(BinaryPrimitives.ReadUInt32BigEndian(bytes), prefixV4));
            return true;
        }

        var (high, low) = (BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
        key = high == 0 && low >> 32 == 0xffff
            ? new ClientKey(scope, 0, Mapped | Masked((uint)low, prefixV4))
            : new ClientKey(scope, Masked(high, Math.Min(prefixV6, 64)), Masked(low, prefixV6 - 64));
        return true;
    }

    /// <summary>Addresses are the network's to choose: a hash that everybody knows would let them fill one bucket.</summary>
    public override int GetHashCode() => HashCode.Combine(Scope, High, Low);

    private static uint Masked(uint address, int prefix) => prefix <= 0 ? 0 : address & (uint.MaxValue << (32 - prefix));

    private static ulong Masked(ulong half, int prefix) => prefix <= 0 ? 0 : half & (ulong.MaxValue << (64 - prefix));
}
