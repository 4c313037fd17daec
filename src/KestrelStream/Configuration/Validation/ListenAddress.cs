using System.Net;
using System.Net.Sockets;
using KestrelStream.Access;

namespace KestrelStream.Configuration.Validation;

/// <summary>Addresses that are bound: their form, and which cannot be bound side by side.</summary>
internal static class ListenAddress
{
    private const string Valid = "ip:port, [v6]:port, *:port, localhost:port, unix:/path";

    /// <summary>The address; null when it is none, which has been added as an error.</summary>
    public static ProxyAddress? Check(ValidationContext context, string path, string text)
    {
        if (ProxyAddress.TryParseListen(text, out var address))
        {
            return address;
        }

        var problem = string.IsNullOrEmpty(text) ? "is missing or empty" : $"{ErrorText.Quote(text)} is not an address to listen on";
        context.AddError(path, $"{problem}; valid: {Valid}");
        return null;
    }

    /// <summary>Whether the second of two could not be bound after the first. Port 0 takes a free port, so it never conflicts.</summary>
    public static bool Conflict(ProxyAddress a, ProxyAddress b)
    {
        if (a.Kind == ProxyAddressKind.Unix || b.Kind == ProxyAddressKind.Unix)
        {
            return a.Kind == b.Kind && a.Host == b.Host;
        }

        return a.Port != 0 && a.Port == b.Port && (CoversPartOf(a, b) || CoversPartOf(b, a));
    }

    public static string ConflictMessage(ProxyAddress address, ProxyAddress other, string owner)
        => address.ToString() == other.ToString()
            ? $"\"{address}\" is the address of {owner} too; valid: another port or address"
            : $"\"{address}\" overlaps \"{other}\" of {owner}; valid: another port or address";

    private static bool CoversPartOf(ProxyAddress a, ProxyAddress b) => a.Kind switch
    {
        ProxyAddressKind.Any => true,
        ProxyAddressKind.Localhost => b.Kind == ProxyAddressKind.Localhost || IsAnyOf(b, IPAddress.Loopback, IPAddress.IPv6Loopback),
        // Kestrel binds [::] for both families; a socket for 0.0.0.0 covers every IPv4 address.
        _ when a.Ip!.Equals(IPAddress.IPv6Any) => true,
        _ when a.Ip!.Equals(IPAddress.Any) => b.Kind == ProxyAddressKind.Localhost || (b.Ip is { } ip && NetworkSyntax.Plain(ip).AddressFamily == AddressFamily.InterNetwork),
        _ => b.Ip is { } ip && NetworkSyntax.Plain(a.Ip).Equals(NetworkSyntax.Plain(ip)),
    };

    private static bool IsAnyOf(ProxyAddress address, params ReadOnlySpan<IPAddress> ips)
        => address.Ip is { } ip && ips.Contains(NetworkSyntax.Plain(ip));
}
