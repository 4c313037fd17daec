namespace KestrelStream.Configuration;

/// <summary>One address of a cluster.</summary>
public sealed record DestinationConfig
{
    /// <summary>
    /// <c>ip:port</c>, <c>[v6]:port</c>, <c>localhost:port</c>, <c>unix:/path</c>, or a name: <c>host:port</c>, <c>srv+_service._proto.domain</c>.
    /// or <c>{sni}:port</c>, the server name that the client has asked for, see <see cref="AllowedNames"/>.
    /// A name is resolved while running, each of its addresses is a member, and one that does not resolve never stops start or reload. Required.
    /// </summary>
    public string Address { get; init; } = "";

    /// <summary>Share of sessions relative to the others. 1 (default) to 65,535; 0 = no new sessions.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>Used only when every other destination is down or full. Default false.</summary>
    public bool Backup { get; init; }

    /// <summary>Most sessions at once; null = unlimited. A full one is passed over.</summary>
    public int? MaxConnections { get; init; }

    /// <summary>The address that active checks use; null = <see cref="Address"/>. The same forms.</summary>
    public string? Health { get; init; }

    /// <summary>The name that active checks and the cluster's TLS call it by (server name, Host header); null = the host of the address.</summary>
    public string? Host { get; init; }

    /// <summary>With <c>{sni}</c>: the names that clients may be sent to, written as <see cref="RouteMatch.Sni"/> is. Others end with <see cref="Sessions.SessionEndReason.AccessDenied"/>.</summary>
    public IReadOnlyList<string> AllowedNames { get; init; } = [];

    /// <summary>
    /// With <c>{sni}</c>: the networks that those names may have addresses in, <c>ip/prefix</c> or an address. One that covers a reserved network
    /// (loopback, private, link-local, …) does not allow that; one that lies within it does.
    /// </summary>
    public IReadOnlyList<string> AllowedNetworks { get; init; } = [];

    /// <summary>Not a key: an operator's word, laid over what the configuration says.</summary>
    internal DestinationControl Control { get; init; }
}
