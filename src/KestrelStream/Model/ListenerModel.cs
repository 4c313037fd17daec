using KestrelStream.Access;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Limits;
using KestrelStream.ProxyProtocol;
using KestrelStream.Routing;

namespace KestrelStream.Model;

/// <summary>A listener of one snapshot, compiled. Immutable.</summary>
internal sealed class ListenerModel
{
    public required string Id { get; init; }

    public required ListenerConfig Config { get; init; }

    public required ProxyAddress Address { get; init; }

    public required RouteTable Routes { get; init; }

    /// <summary>Whose PROXY headers are believed; null = connections begin with none.</summary>
    public TrustedPeers? TrustedPeers { get; init; }

    /// <summary>How many of the first bytes of clients that are refused are kept to be shown; 0 = none.</summary>
    public int RefusedBytes { get; init; }

    /// <summary>Who may come; null = everybody.</summary>
    public AccessRules? Access { get; init; }

    /// <summary>How much clients may take; null = no limits.</summary>
    public SessionLimits? Limits { get; init; }

    /// <summary>Generation of the snapshot it belongs to.</summary>
    public required long Generation { get; init; }

    /// <summary>Where the metrics count its sessions; theirs alone, to be spared a look-up.</summary>
    internal ListenerCells? Cells { get; set; }
}
