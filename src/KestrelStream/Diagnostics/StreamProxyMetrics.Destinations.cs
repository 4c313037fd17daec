using System.Diagnostics.Metrics;
using KestrelStream.Admin;
using KestrelStream.Configuration;
using KestrelStream.Dialing.Warm;
using KestrelStream.Discovery;
using KestrelStream.Health;
using KestrelStream.Model;

namespace KestrelStream.Diagnostics;

/// <content>What clusters and their destinations say now.</content>
internal sealed partial class StreamProxyMetrics
{
    private IEnumerable<SeriesReading> ReadDestinationsUp() => ReadDestinations(static destination => destination.IsUp ? 1 : 0);

    private IEnumerable<SeriesReading> ReadDestinationSessions() => ReadDestinations(static destination => destination.ActiveSessions);

    private IEnumerable<SeriesReading> ReadDestinationEjections() => ReadDestinations(static destination => destination.Ejections);

    /// <summary>One series a configured destination, whatever number of members a name has: an address from the network is no label.</summary>
    private IEnumerable<SeriesReading> ReadDestinations(Func<DestinationGroupReading, long> value)
    {
        foreach (var cluster in Clusters())
        {
            foreach (var destination in DestinationGroupReading.Of(cluster))
            {
                yield return new SeriesReading(destination.Labels, value(destination));
            }
        }
    }

    /// <summary>Destinations that are no names are left out.</summary>
    private IEnumerable<Measurement<long>> ReadLookups()
        => from cluster in Clusters()
           from source in cluster.Model.Sources
           from result in Enum.GetValues<LookupResult>()
           select new Measurement<long>(
               source.Lookups(result), Label("cluster", cluster.Id), Label("destination", source.Id), Label("result", result.ToString().ToLowerInvariant()));

    private IEnumerable<Measurement<long>> ReadMembers()
    {
        foreach (var cluster in Clusters())
        {
            var model = cluster.Model;
            foreach (var source in model.Sources)
            {
                var members = model.Destinations.Where(destination => destination.Source == source).ToList();
                var up = members.Count(member => member.Health != DestinationHealth.Unhealthy);
                yield return Count(up, "up");
                yield return Count(members.Count - up, "down");
                yield return Count(source.Leaving.Count(), "leaving");

                Measurement<long> Count(int number, string state)
                    => new(number, Label("cluster", cluster.Id), Label("destination", source.Id), Label("state", state));
            }
        }
    }

    private IEnumerable<Measurement<long>> ReadWarmConnections()
        => from pools in ReadWarmPools()
           select new Measurement<long>(pools.Pools.Sum(pool => pool.Count), pools.Labels);

    private IEnumerable<Measurement<long>> ReadWarmTakes()
        => from pools in ReadWarmPools()
           from result in new[] { ("hit", pools.Pools.Sum(pool => (long)pool.Hits)), ("miss", pools.Pools.Sum(pool => (long)pool.Misses)) }
           select new Measurement<long>(result.Item2, [.. pools.Labels, Label("result", result.Item1)]);

    /// <summary>By configured destination: members of a name share its series.</summary>
    private IEnumerable<(List<WarmPool> Pools, KeyValuePair<string, object?>[] Labels)> ReadWarmPools()
        => from cluster in Clusters()
           from destination in cluster.Model.Destinations
           where destination.Warm is not null
           group destination.Warm by (cluster.Id, destination.ConfiguredId) into pools
           select (pools.ToList(), new[] { Label("cluster", pools.Key.Id), Label("destination", pools.Key.ConfiguredId) });

    private IEnumerable<SeriesReading> ReadDestinationStates()
    {
        foreach (var cluster in Clusters())
        {
            foreach (var destination in DestinationGroupReading.Of(cluster))
            {
                for (var state = 0; state < destination.StateLabels.Length; state++)
                {
                    yield return new SeriesReading(destination.StateLabels[state], state == (int)destination.Config.Control.State ? 1 : 0);
                }
            }
        }
    }

    private IEnumerable<SeriesReading> ReadDestinationWeights() => ReadDestinations(static destination => destination.Config.Weight);

    private IEnumerable<Measurement<long>> ReadDestinationCertificates()
    {
        var now = _time.GetUtcNow();

        // Of the members that one name stands for it is the first to end.
        return from cluster in Clusters()
               from destination in cluster.Model.Destinations
               where destination.LastCheck?.CertificateExpires is not null
               group destination.LastCheck!.CertificateExpires!.Value by (cluster.Id, destination.ConfiguredId) into ends
               select new Measurement<long>((long)(ends.Min() - now).TotalSeconds, Label("cluster", ends.Key.Id), Label("destination", ends.Key.ConfiguredId));
    }

    /// <summary>Of the members that one name stands for it is the one that lacks most.</summary>
    private IEnumerable<Measurement<long>> ReadUncoveredNames()
        => from cluster in Clusters()
           from destination in cluster.Model.Destinations
           where destination.LastCheck?.UncoveredNames is not null
           group destination.LastCheck!.UncoveredNames!.Count by (cluster.Id, destination.ConfiguredId) into counts
           select new Measurement<long>(counts.Max(), Label("cluster", counts.Key.Id), Label("destination", counts.Key.ConfiguredId));
}
