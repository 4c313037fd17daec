using System.Net;
using System.Net.Sockets;

namespace KestrelStream.ProxyProtocol;

/// <summary>The networks whose PROXY headers a listener believes. Immutable.</summary>
internal sealed class TrustedPeers
{
    /// <summary>Whoever can connect to a unix socket has the file's permission to.</summary>
    private const string Unix = "unix:";

    private readonly IPNetwork[] _networks;
    private readonly bool _trustsUnix;

    /// <exception cref="FormatException">One is no network: the configuration was not validated.</exception>
    public TrustedPeers(IEnumerable<string> networks)
    {
        var all = networks.ToLookup(IsUnix);
        _trustsUnix = all[true].Any();
        _networks = [.. all[false].Select(text => TryParse(text, out var network) ? network : throw new FormatException($"'{text}' is not a network."))];
    }

    public static bool IsNetwork(string text) => IsUnix(text) || TryParse(text, out _);

    public bool Contains(EndPoint? peer)
    {
        if (peer is not IPEndPoint { Address: var address })
        {
            return peer is UnixDomainSocketEndPoint && _trustsUnix;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        foreach (var network in _networks)
        {
            if (network.Contains(address))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsUnix(string text) => text.Equals(Unix, StringComparison.OrdinalIgnoreCase);

    /// <summary><c>ip/prefix</c> without bits behind the prefix, or an address.</summary>
    public static bool TryParse(string text, out IPNetwork network)
    {
        if (IPNetwork.TryParse(text, out network))
        {
            // Bits behind the prefix are dropped by the parser; whoever wrote them meant another network, or that one address.
            return IPAddress.TryParse(text.AsSpan(0, text.IndexOf('/', StringComparison.Ordinal)), out var written) && written.Equals(network.BaseAddress);
        }

        // As it is written in full: "10" and "[::1]:80" are addresses to the parser too.
        var isAddress = IPAddress.TryParse(text, out var address) && (address.AddressFamily == AddressFamily.InterNetworkV6 ? !text.Contains('[', StringComparison.Ordinal) && address.ScopeId == 0 : address.ToString() == text);
        network = isAddress ? new IPNetwork(address!, address!.AddressFamily == AddressFamily.InterNetwork ? 32 : 128) : default;
        return isAddress;
    }
}
