using KestrelStream.Configuration;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Configuration;

namespace KestrelStream.Yarp;

/// <summary>Lays the clusters of YARP that routes of the stream proxy name under its configuration. Thread-safe.</summary>
/// <param name="lookup">What is in force in YARP: after its filters, and with its destinations resolved.</param>
/// <param name="providers">What YARP is about to put in force.</param>
/// <param name="changes">When it has.</param>
internal sealed class SharedClusters(IProxyStateLookup lookup, IEnumerable<IProxyConfigProvider> providers, YarpChanges changes)
{
    /// <summary>YARP follows its source by itself; one file may hold both configurations.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(2);

    /// <summary>Fires when YARP's clusters have changed.</summary>
    public IChangeToken NextChange => changes.NextChange;

    /// <summary>Those of our routes' clusters that are YARP's.</summary>
    public static IEnumerable<string> NamedBy(StreamProxyConfig config)
        => config.Routes.Values.Select(route => route.ClusterId).OfType<string>().Where(id => !config.Clusters.ContainsKey(id)).Distinct(StringComparer.OrdinalIgnoreCase);

    /// <summary>The configuration with them; a cluster that YARP does not have either is left out, and validation says so.</summary>
    public ConfigResult AddTo(ConfigResult own)
    {
        var errors = new List<ConfigError>(own.Errors);
        var clusters = new Dictionary<string, Configuration.ClusterConfig>(own.Config.Clusters, StringComparer.OrdinalIgnoreCase);
        foreach (var id in NamedBy(own.Config))
        {
            if (Find(id) is { } cluster)
            {
                clusters.Add(id, ClusterConversion.Convert(id, cluster, errors));
            }
        }

        return clusters.Count == own.Config.Clusters.Count ? own : own with { Config = own.Config with { Clusters = clusters }, Errors = errors };
    }

    private global::Yarp.ReverseProxy.Model.ClusterState? Find(string id)
    {
        var until = TimeProvider.System.GetTimestamp();
        while (true)
        {
            if (lookup.TryGetCluster(id, out var cluster) && cluster.Model is not null)
            {
                return cluster;
            }

            if (!providers.Any(provider => provider.GetConfig().Clusters.Any(c => id.Equals(c.ClusterId, StringComparison.OrdinalIgnoreCase)))
                || TimeProvider.System.GetElapsedTime(until) > LongestWait)
            {
                return null;
            }

            Thread.Sleep(10);
        }
    }
}
