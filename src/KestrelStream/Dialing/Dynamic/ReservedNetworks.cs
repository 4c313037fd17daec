using System.Net;
using System.Net.Sockets;

namespace KestrelStream.Dialing.Dynamic;

/// <summary>
/// Addresses that are nobody's on the Internet: this machine, its link, private networks, and where clouds answer for the machine's credentials. A client
/// must not reach them by a name of its own. Pure.
/// </summary>
internal static class ReservedNetworks
{
    /// <summary>IANA's special-purpose registries (RFC 6890), and what clouds have put elsewhere.</summary>
    private static readonly IPNetwork[] All = [.. new[]
    {
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
        "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",

        // Azure's host, which looks public.
        "168.63.129.16/32",

        "::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    }.Select(network => IPNetwork.Parse(network))];

    /// <summary>The one that an address is in; null = it is a public one.</summary>
    public static IPNetwork? Of(IPAddress address)
    {
        foreach (var network in All)
        {
            if (network.Contains(address))
            {
                return network;
            }
        }

        return null;
    }

    /// <summary>The IPv4 address that an IPv6 one stands for, on the way to which it is translated or unwrapped; null = none.</summary>
    public static IPAddress? EmbeddedIn(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return null;
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        ReadOnlySpan<byte> nat64 = [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];

        // RFC 6052 (NAT64), RFC 3056 (6to4).
        return bytes.StartsWith(nat64) ? new IPAddress(bytes[12..])
            : bytes[0] == 0x20 && bytes[1] == 0x02 ? new IPAddress(bytes[2..6])
            : null;
    }
}
