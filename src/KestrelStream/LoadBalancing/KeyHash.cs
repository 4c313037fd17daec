using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using KestrelStream.Configuration;

namespace KestrelStream.LoadBalancing;

/// <summary>
/// Hashes for the ring. The same in every process and version, unlike <see cref="string.GetHashCode()"/>: proxies side by side, and one that
/// was started again, must send a key to the same destination. Pure; allocates nothing.
/// </summary>
/// <remarks>Not keyed: a client that picks addresses or names to meet one destination gains no more than by being one client.</remarks>
internal static class KeyHash
{
    /// <summary>2^64 divided by the golden ratio: steps of it never meet.</summary>
    public const ulong Golden = 0x9E3779B97F4A7C15;

    private const int V6Bytes = 16;

    /// <summary>Of a session's key; 0 = it has none.</summary>
    public static ulong Of(HashKey key, EndPoint? client, string? serverName) => key switch
    {
        HashKey.Sni => serverName is null ? 0 : Of(serverName),
        _ => client is IPEndPoint { Address: var address } ? Of(address, key == HashKey.ClientPrefix) : 0,
    };

    /// <summary>ASCII text. Never 0.</summary>
    public static ulong Of(string text)
    {
        // FNV-1a, which is good enough once mixed, and the texts are short.
        var hash = 0xCBF29CE484222325;
        foreach (var c in text)
        {
            hash = (hash ^ c) * 0x100000001B3;
        }

        return NotZero(Mix(hash));
    }

    /// <summary>The finalizer of MurmurHash3: every bit of the input moves every bit of the output.</summary>
    public static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 33)) * 0xFF51AFD7ED558CCD;
        value = (value ^ (value >> 33)) * 0xC4CEB9FE1A85EC53;
        return value ^ (value >> 33);
    }

    /// <summary>An IPv4 client is the same one on a listener for both families, where it shows as ::ffff:a.b.c.d.</summary>
    private static ulong Of(IPAddress address, bool isPrefix)
    {
        Span<byte> bytes = stackalloc byte[V6Bytes];
        address.TryWriteBytes(bytes, out _);
        if (address.AddressFamily == AddressFamily.InterNetwork || address.IsIPv4MappedToIPv6)
        {
            var v4 = BinaryPrimitives.ReadUInt32BigEndian(address.AddressFamily == AddressFamily.InterNetwork ? bytes : bytes[12..]);
            return NotZero(Mix((isPrefix ? v4 & 0xFFFFFF00 : v4) + Golden));
        }

        var network = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        var host = isPrefix ? 0 : BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        return NotZero(Mix(Mix(network) + host));
    }

    private static ulong NotZero(ulong hash) => hash == 0 ? Golden : hash;
}
