using KestrelStream.Access;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Limits;
using KestrelStream.Tls;

namespace KestrelStream.Model;

/// <summary>A route of one snapshot, compiled. Immutable.</summary>
internal sealed class RouteModel
{
    public required string Id { get; init; }

    public required RouteConfig Config { get; init; }

    /// <summary>Null when the action is Reject.</summary>
    public ClusterState? Cluster { get; init; }

    /// <summary>Null = bytes are passed through.</summary>
    public TlsPolicy? Tls { get; init; }

    /// <summary>Who may come; null = everybody.</summary>
    public AccessRules? Access { get; init; }

    /// <summary>How much clients may take; null = no limits.</summary>
    public SessionLimits? Limits { get; init; }

    public RouteAction Action => Config.Action;

    /// <summary>Whether the route terminates TLS; true also in a route table that is built only to be validated, without <see cref="Tls"/>.</summary>
    public bool Terminates => Config.Tls?.Mode == TlsMode.Terminate;

    /// <summary>Of no configuration: its sessions end with their handshake, which has answered an ACME server.</summary>
    public bool AnswersChallenge { get; init; }

    /// <summary>Where the metrics counted its last session; theirs alone, to be spared a look-up.</summary>
    internal RouteCells? Cells { get; set; }
}
