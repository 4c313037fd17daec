using System.Net;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Preread;

namespace KestrelStream.Tls.Upstream;

/// <summary>What a destination is called in its handshake: a host name, which is asked for and verified, or an address, which is only verified; or neither.</summary>
internal readonly record struct UpstreamName(string? Host, IPAddress? Address)
{
    public bool IsKnown => Host is not null || Address is not null;

    /// <summary>Empty = neither.</summary>
    public override string ToString() => Host ?? Address?.ToString() ?? "";

    /// <param name="tls">Of the cluster.</param>
    /// <param name="destination">As configured.</param>
    /// <param name="address">That is dialled.</param>
    /// <param name="hostName">By which a member was found; null = it is configured by its address.</param>
    /// <param name="clientName">That the client has asked for, as our own parser found it; null = none.</param>
    public static UpstreamName Of(UpstreamTlsConfig tls, DestinationConfig destination, ProxyAddress address, string? hostName, string? clientName)
    {
        if (tls.ServerName is not null && tls.ServerName != UpstreamTlsConfig.ClientServerName)
        {
            return Parse(tls.ServerName);
        }

        return (tls.ServerName is not null || address.Kind == ProxyAddressKind.Dynamic) && clientName is not null ? new UpstreamName(clientName, null)
            : destination.Host is { } host ? Parse(WithoutPort(host))
            : hostName is not null ? Parse(hostName)
            : address.Kind == ProxyAddressKind.Ip ? new UpstreamName(null, address.Ip)
            : address.Kind is ProxyAddressKind.Host or ProxyAddressKind.Localhost or ProxyAddressKind.Srv ? Parse(address.Host)
            : default;
    }

    /// <summary>A host name or an address; neither is neither.</summary>
    public static UpstreamName Parse(string text)
        => IPAddress.TryParse(text, out var address) ? new UpstreamName(null, address)
            : ServerNameSyntax.TryParse(Encoding.UTF8.GetBytes(text), out var name) && !name.IsEmpty ? new UpstreamName(Encoding.ASCII.GetString(name).ToLowerInvariant(), null)
            : default;

    private static string WithoutPort(string host)
    {
        if (host.StartsWith('['))
        {
            return host[1..].Split(']')[0];
        }

        // Two colons: an IPv6 address without brackets.
        var colon = host.IndexOf(':', StringComparison.Ordinal);
        return colon >= 0 && colon == host.LastIndexOf(':') ? host[..colon] : host;
    }
}
