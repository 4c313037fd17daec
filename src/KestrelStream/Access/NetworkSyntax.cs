using System.Net;
using System.Net.Sockets;

namespace KestrelStream.Access;

/// <summary>How networks of clients are written: <c>10.0.0.0/8</c>, <c>2001:db8::/32</c>, an address, <c>unix:</c> for whoever connects to a unix socket. Pure.</summary>
internal static class NetworkSyntax
{
    /// <summary>What an error says is valid.</summary>
    public const string Valid = "ip/prefix without bits behind the prefix, as 10.0.0.0/8 or 2001:db8::/32, an ip, unix:";

    private const string Unix = "unix:";

    /// <summary>Of ::ffff:0:0/96.</summary>
    private const int MappedBits = 96;

    public static bool IsNetwork(string text) => IsUnix(text) || TryParse(text, out _);

    public static bool IsUnix(string text) => text.Equals(Unix, StringComparison.OrdinalIgnoreCase);

    /// <summary>A network of IPv4-mapped addresses is the IPv4 network: clients never have mapped addresses here.</summary>
    public static bool TryParse(string text, out IPNetwork network)
    {
        var isNetwork = TryParseAsWritten(text, out network);
        if (isNetwork && network.BaseAddress.IsIPv4MappedToIPv6 && network.PrefixLength >= MappedBits)
        {
            network = new IPNetwork(network.BaseAddress.MapToIPv4(), network.PrefixLength - MappedBits);
        }

        return isNetwork;
    }

    /// <summary>An address as rules know it: an IPv4 client of a listener on [::] is an IPv4 client.</summary>
    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static bool TryParseAsWritten(string text, out IPNetwork network)
    {
        if (IPNetwork.TryParse(text, out network))
        {
            // Bits behind the prefix are dropped by the parser; whoever wrote them meant another network, or that one address.
            return IPAddress.TryParse(text.AsSpan(0, text.IndexOf('/', StringComparison.Ordinal)), out var written) && written.Equals(network.BaseAddress);
        }

        // As it is written in full: "10" and "[::1]:80" are addresses to the parser too.
        var isAddress = IPAddress.TryParse(text, out var address)
            && (address.AddressFamily == AddressFamily.InterNetworkV6 ? !text.Contains('[', StringComparison.Ordinal) && address.ScopeId == 0 : address.ToString() == text);
        network = isAddress ? new IPNetwork(address!, address!.AddressFamily == AddressFamily.InterNetwork ? 32 : 128) : default;
        return isAddress;
    }
}
