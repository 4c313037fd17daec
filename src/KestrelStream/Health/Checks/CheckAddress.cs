using KestrelStream.Configuration;

namespace KestrelStream.Health.Checks;

/// <summary>Where the active checks of a destination go, and by which name they call it.</summary>
internal static class CheckAddress
{
    /// <summary><see cref="DestinationConfig.Health"/>, else the checks' Address, else the destination's own with the checks' Port. Null = not an address.</summary>
    public static ProxyAddress? Of(ActiveHealthCheckConfig check, DestinationConfig destination)
    {
        if ((destination.Health ?? check.Address) is { } other)
        {
            return ProxyAddress.TryParseDestination(other, out var address) ? address : null;
        }

        return !ProxyAddress.TryParseDestination(destination.Address, out var own) ? null
            : check.Port is { } port && own!.Kind != ProxyAddressKind.Unix ? own.WithPort(port)
            : own;
    }

    /// <summary>Name to ask for by TLS and to verify; null = there is none.</summary>
    public static string? ServerName(ActiveHealthCheckConfig check, DestinationConfig destination)
        => check.ServerName ?? destination.Host?.Split(':')[0] ?? HostNameOf(Of(check, destination))
            ?? (ProxyAddress.TryParseDestination(destination.Address, out var own) ? HostNameOf(own) : null);

    /// <summary>Host header of HTTP.</summary>
    public static string HttpHost(ActiveHealthCheckConfig check, DestinationConfig destination)
    {
        if ((check.Host ?? destination.Host ?? check.ServerName) is { } name)
        {
            return name;
        }

        var address = Of(check, destination)!;
        return address.Kind == ProxyAddressKind.Unix ? "localhost" : address.ToString();
    }

    private static string? HostNameOf(ProxyAddress? address)
        => address?.Kind is ProxyAddressKind.Host or ProxyAddressKind.Localhost ? address.Host.TrimEnd('.') : null;
}
