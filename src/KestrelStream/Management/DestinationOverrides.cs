using System.Collections.Immutable;
using KestrelStream.Configuration;

namespace KestrelStream.Management;

/// <summary>Everything that operators have changed about destinations: a layer over the configuration that outlives reloads. Immutable.</summary>
internal sealed class DestinationOverrides
{
    public static readonly DestinationOverrides None = new(ImmutableSortedDictionary.Create<string, ImmutableSortedDictionary<string, DestinationOverride>>(StringComparer.OrdinalIgnoreCase));

    private static readonly ImmutableSortedDictionary<string, DestinationOverride> NoMembers = ImmutableSortedDictionary.Create<string, DestinationOverride>(StringComparer.OrdinalIgnoreCase);

    private readonly ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, DestinationOverride>> _clusters;

    private DestinationOverrides(ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, DestinationOverride>> clusters) => _clusters = clusters;

    /// <summary>All of them in the order of their ids.</summary>
    public IEnumerable<(string Cluster, string Destination, DestinationOverride Override)> All
        => from cluster in _clusters from member in cluster.Value select (cluster.Key, member.Key, member.Value);

    /// <summary>What is changed about one destination, or nothing yet.</summary>
    /// <param name="config">Without overrides.</param>
    /// <param name="cluster">Id of one of its clusters.</param>
    /// <param name="destination">Id of a destination that there is or is to be.</param>
    public DestinationOverride Of(StreamProxyConfig config, string cluster, string destination)
        => _clusters.GetValueOrDefault(cluster)?.GetValueOrDefault(destination)
            ?? new DestinationOverride { Configured = config.Clusters[cluster].Destinations.GetValueOrDefault(destination) };

    public DestinationOverrides With(string cluster, string destination, DestinationOverride change)
    {
        var members = _clusters.GetValueOrDefault(cluster) ?? NoMembers;
        members = change.IsEmpty ? members.Remove(destination) : members.SetItem(destination, change);
        return new DestinationOverrides(members.IsEmpty ? _clusters.Remove(cluster) : _clusters.SetItem(cluster, members));
    }

    /// <summary>A configuration with the changes laid over it.</summary>
    public StreamProxyConfig Over(StreamProxyConfig config)
    {
        if (_clusters.IsEmpty)
        {
            return config;
        }

        var clusters = ConfigMap.Create<ClusterConfig>(config.Clusters.Count);
        foreach (var (id, cluster) in config.Clusters)
        {
            clusters.Add(id, Over(id, cluster));
        }

        return config with { Clusters = clusters };
    }

    /// <summary>The changes that still mean something over another configuration.</summary>
    /// <param name="config">Without overrides.</param>
    /// <param name="validate">Finds the mistakes of a cluster.</param>
    /// <param name="dropped">The others, each with why.</param>
    public DestinationOverrides Rebase(
        StreamProxyConfig config,
        Func<string, ClusterConfig, IReadOnlyList<ConfigError>> validate,
        out List<(string Cluster, string Destination, string Why)> dropped)
    {
        var next = None;
        dropped = [];

        // Added ones last: they have to fit to what is there.
        foreach (var (cluster, destination, change) in All.OrderBy(change => change.Override.Added is not null))
        {
            var with = next.With(cluster, destination, change);
            if (!config.Clusters.TryGetValue(cluster, out var clusterConfig))
            {
                dropped.Add((cluster, destination, "the cluster is gone"));
            }
            else if (clusterConfig.Destinations.GetValueOrDefault(destination) != change.Configured)
            {
                dropped.Add((cluster, destination, change.Configured is null ? "the configuration has one of that id now" : "the configuration says something else about it now"));
            }
            else if (change.Added is not null && validate(cluster, with.Over(cluster, clusterConfig)) is { Count: > 0 } errors)
            {
                dropped.Add((cluster, destination, errors[0].ToString()));
            }
            else
            {
                next = with;
            }
        }

        return next;
    }

    private ClusterConfig Over(string id, ClusterConfig cluster)
    {
        if (!_clusters.TryGetValue(id, out var changes))
        {
            return cluster;
        }

        var destinations = ConfigMap.Create<DestinationConfig>(cluster.Destinations.Count + changes.Count);
        foreach (var (member, config) in cluster.Destinations)
        {
            if (!changes.ContainsKey(member))
            {
                destinations.Add(member, config);
            }
        }

        foreach (var (member, change) in changes)
        {
            if (change.Result is { } config)
            {
                destinations.Add(member, config);
            }
        }

        return cluster with { Destinations = destinations };
    }
}
