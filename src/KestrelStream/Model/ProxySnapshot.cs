using System.Collections.Immutable;
using KestrelStream.Configuration;

namespace KestrelStream.Model;

/// <summary>What one start or reload produced. Immutable; sessions hold on to the parts they began with.</summary>
internal sealed class ProxySnapshot
{
    /// <summary>1 at start, one more with every applied reload.</summary>
    public required long Generation { get; init; }

    public required DateTimeOffset Applied { get; init; }

    /// <summary>What operators have changed included.</summary>
    public required StreamProxyConfig Config { get; init; }

    public required IReadOnlyDictionary<string, ListenerModel> Listeners { get; init; }

    public required IReadOnlyDictionary<string, RouteModel> Routes { get; init; }

    public required IReadOnlyDictionary<string, ClusterState> Clusters { get; init; }

    /// <summary>By id. Sorted when somebody asks, as every reading of the numbers does.</summary>
    public ImmutableArray<RouteModel> RoutesInOrder
        => field.IsDefault ? field = [.. Routes.Values.OrderBy(route => route.Id, StringComparer.OrdinalIgnoreCase)] : field;

    /// <summary>As <see cref="RoutesInOrder"/>.</summary>
    public ImmutableArray<ClusterState> ClustersInOrder
        => field.IsDefault ? field = [.. Clusters.Values.OrderBy(cluster => cluster.Id, StringComparer.OrdinalIgnoreCase)] : field;

    /// <summary>The same, after an operator has changed something of its clusters.</summary>
    public ProxySnapshot With(StreamProxyConfig config) => new()
    {
        Generation = Generation,
        Applied = Applied,
        Config = config,
        Listeners = Listeners,
        Routes = Routes,
        Clusters = Clusters,
    };
}
