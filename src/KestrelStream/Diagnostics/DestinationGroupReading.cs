using System.Runtime.CompilerServices;
using KestrelStream.Admin;
using KestrelStream.Configuration;
using KestrelStream.Discovery;
using KestrelStream.Health;
using KestrelStream.Model;

namespace KestrelStream.Diagnostics;

/// <summary>A configured destination with the members it stands for, as metrics show it. Immutable; made once a model, as a scrape asks for them several times.</summary>
/// <param name="Labels">Cluster and destination: of every series of it.</param>
/// <param name="StateLabels">The same and a state, by its number.</param>
/// <param name="Config">As in force.</param>
/// <param name="Source">Of a name; else null.</param>
/// <param name="Members">One, or those of the name.</param>
internal sealed record DestinationGroupReading(
    SeriesLabels Labels, SeriesLabels[] StateLabels, DestinationConfig Config, DestinationSource? Source, DestinationState[] Members)
{
    private static readonly ConditionalWeakTable<ClusterModel, DestinationGroupReading[]> s_made = [];

    private static readonly OperatorState[] s_states = Enum.GetValues<OperatorState>();

    /// <summary>Any of the members is up.</summary>
    public bool IsUp
    {
        get
        {
            foreach (var member in Members)
            {
                if (member.Health != DestinationHealth.Unhealthy)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Those that are leaving included.</summary>
    public long ActiveSessions => Sum(static member => member.ActiveSessions) + (Source?.Leaving.Sum(static member => (long)member.ActiveSessions) ?? 0);

    public long Ejections => Sum(static member => member.Ejections) + (Source?.EjectionsOfLeft ?? 0);

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
               let labels = new SeriesLabels(new("cluster", cluster), new("destination", destination.Key))
               select new DestinationGroupReading(
                   labels,
                   [.. s_states.Select(state => labels.With("state", ApiDestinationSettings.Word(state)))],
                   destination.Value,
                   model.Sources.FirstOrDefault(source => source.Id.Equals(destination.Key, StringComparison.OrdinalIgnoreCase)),
                   [.. members[destination.Key]]),
        ];
    }

    private long Sum(Func<DestinationState, long> value)
    {
        var sum = 0L;
        foreach (var member in Members)
        {
            sum += value(member);
        }

        return sum;
    }
}
