using System.Runtime.CompilerServices;
using KestrelStream.Configuration;
using KestrelStream.Discovery;
using KestrelStream.Model;

namespace KestrelStream.Diagnostics;

/// <summary>A configured destination with the members it stands for, as metrics show it. Immutable; made once a model, as a scrape asks for them several times.</summary>
/// <param name="Labels">Cluster and destination: of every series of it.</param>
/// <param name="Config">As in force.</param>
/// <param name="Source">Of a name; else null.</param>
/// <param name="Members">One, or those of the name.</param>
internal sealed record DestinationGroupReading(
    KeyValuePair<string, object?>[] Labels, DestinationConfig Config, DestinationSource? Source, IReadOnlyList<DestinationState> Members)
{
    private static readonly ConditionalWeakTable<ClusterModel, DestinationGroupReading[]> s_made = [];

    /// <summary>In the order of their ids.</summary>
    public static DestinationGroupReading[] Of(ClusterState cluster)
    {
        var model = cluster.Model;
        if (!s_made.TryGetValue(model, out var made))
        {
            s_made.AddOrUpdate(model, made = Make(cluster.Id, model));
        }

        return made;
    }

    private static DestinationGroupReading[] Make(string cluster, ClusterModel model)
    {
        var members = model.Destinations.ToLookup(destination => destination.ConfiguredId, StringComparer.OrdinalIgnoreCase);
        return
        [
            .. from destination in model.Config.Destinations
               orderby destination.Key.ToUpperInvariant()
               select new DestinationGroupReading(
                   [new("cluster", cluster), new("destination", destination.Key)],
                   destination.Value,
                   model.Sources.FirstOrDefault(source => source.Id.Equals(destination.Key, StringComparison.OrdinalIgnoreCase)),
                   [.. members[destination.Key]]),
        ];
    }
}
