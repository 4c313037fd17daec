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

    /// <summary>Whether checks go where sessions go. Another port or address is another server, made for checks.</summary>
    public static bool IsOwn(ActiveHealthCheckConfig check, DestinationConfig destination)
        => check is { Address: null, Port: null } && destination.Health is null;

    /// <summary>A member that was found by a name is called by that name, unless the configuration says another one.</summary>
    public static DestinationConfig WithName(ActiveHealthCheckConfig check, DestinationConfig destination, string? hostName)
        => hostName is null || destination.Host is not null || (destination.Health ?? check.Address) is not null
            ? destination
            : destination with { Host = $"{hostName}:{Of(check, destination)!.Port}" };

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

    /// <summary>SRV records say names, so there will be one.</summary>
    private static string? HostNameOf(ProxyAddress? address)
        => address?.Kind is ProxyAddressKind.Host or ProxyAddressKind.Localhost or ProxyAddressKind.Srv ? address.Host.TrimEnd('.') : null;
}
