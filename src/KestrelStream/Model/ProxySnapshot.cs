using KestrelStream.Configuration;

namespace KestrelStream.Model;

/// <summary>What one start or reload produced. Immutable; sessions hold on to the parts they began with.</summary>
internal sealed class ProxySnapshot
{
    /// <summary>1 at start, one more with every applied reload.</summary>
    public required long Generation { get; init; }

    public required DateTimeOffset Applied { get; init; }

    public required StreamProxyConfig Config { get; init; }

    public required IReadOnlyDictionary<string, ListenerModel> Listeners { get; init; }

    public required IReadOnlyDictionary<string, RouteModel> Routes { get; init; }

    public required IReadOnlyDictionary<string, ClusterState> Clusters { get; init; }
}
