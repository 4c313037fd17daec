using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace KestrelStream.Access;

/// <summary>Many networks with a verdict each; the smallest one that holds a client decides. Immutable; a look-up allocates nothing.</summary>
internal sealed class NetworkTable
{
    private readonly IntervalTable<uint> _v4;
    private readonly IntervalTable<UInt128> _v6;

    public NetworkTable(IReadOnlyCollection<(IPNetwork Network, AccessVerdict Verdict)> networks)
    {
        Count = networks.Count;
        _v4 = new IntervalTable<uint>(networks.Where(IsV4).Select(rule =>
        {
            var first = V4Of(rule.Network.BaseAddress);
            return (first, first | (uint)((1UL << (32 - rule.Network.PrefixLength)) - 1), rule.Verdict);
        }));
        _v6 = new IntervalTable<UInt128>(networks.Where(rule => !IsV4(rule)).Select(rule =>
        {
            var first = V6Of(rule.Network.BaseAddress);
            var length = rule.Network.PrefixLength;
            return (first, first | (length == 0 ? UInt128.MaxValue : (UInt128.One << (128 - length)) - 1), rule.Verdict);
        }));
    }

    /// <summary>Networks in it.</summary>
    public int Count { get; }

    /// <param name="address">Mapped IPv4 addresses are IPv4 addresses.</param>
    public AccessVerdict this[IPAddress address]
    {
        get
        {
            if (address.AddressFamily == AddressFamily.InterNetwork)
            {
                return _v4[V4Of(address)];
            }

            var number = V6Of(address);
            return number >> 32 == 0xffff ? _v4[(uint)number] : _v6[number];
        }
    }

    private static bool IsV4((IPNetwork Network, AccessVerdict Verdict) rule) => rule.Network.BaseAddress.AddressFamily == AddressFamily.InterNetwork;

    private static uint V4Of(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[4];
        address.TryWriteBytes(bytes, out _);
        return BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }

    private static UInt128 V6Of(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
