using System.Net;
using System.Net.Sockets;
using KestrelStream.Access;

namespace KestrelStream.ProxyProtocol;

/// <summary>The networks whose PROXY headers a listener believes. Immutable.</summary>
internal sealed class TrustedPeers
{
    private readonly IPNetwork[] _networks;

    /// <summary>Whoever can connect to a unix socket has the file's permission to.</summary>
    private readonly bool _trustsUnix;

    /// <exception cref="FormatException">One is no network: the configuration was not validated.</exception>
    public TrustedPeers(IEnumerable<string> networks)
    {
        var all = networks.ToLookup(NetworkSyntax.IsUnix);
        _trustsUnix = all[true].Any();
        _networks = [.. all[false].Select(text => NetworkSyntax.TryParse(text, out var network) ? network : throw new FormatException($"'{text}' is not a network."))];
    }

    public bool Contains(EndPoint? peer)
    {
        if (peer is not IPEndPoint { Address: var address })
        {
            return peer is UnixDomainSocketEndPoint && _trustsUnix;
        }

        address = NetworkSyntax.Plain(address);
        foreach (var network in _networks)
        {
            if (network.Contains(address))
            {
                return true;
            }
        }

        return false;
    }
}
