using KestrelStream.Model;
using Microsoft.Extensions.Hosting;
using Yarp.ReverseProxy;

namespace KestrelStream.Yarp;

/// <summary>
/// Gives YARP's word about destinations, from its active and passive checks, to the clusters of the stream proxy that are YARP's: what YARP would not send a
/// request to gets no session. Only in this direction: what a session meets stays with the stream proxy's own passive checks. Thread-safe.
/// </summary>
internal sealed class SharedHealth(IProxyStateLookup lookup, ClusterRegistry clusters, TimeProvider time) : IHostedService, IDisposable
{
    /// <summary>For destinations that have come meanwhile: changes of health are told at once.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private ITimer? _timer;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _timer = time.CreateTimer(_ => ShareAll(), null, LookEvery, LookEvery);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => _timer?.Dispose();

    /// <summary>YARP has found something out about a cluster.</summary>
    public void Share(global::Yarp.ReverseProxy.Model.ClusterState from)
    {
        if (!clusters.Clusters.TryGetValue(from.ClusterId, out var cluster) || !cluster.Model.Config.IsCheckedElsewhere)
        {
            return;
        }

        var available = from.DestinationsState.AvailableDestinations;
        foreach (var destination in cluster.Model.Destinations)
        {
            if (from.Destinations.ContainsKey(destination.ConfiguredId))
            {
                cluster.SetUpByChecks(destination, available.Any(a => a.DestinationId.Equals(destination.ConfiguredId, StringComparison.OrdinalIgnoreCase)));
            }
        }
    }

    private void ShareAll()
    {
        foreach (var cluster in lookup.GetClusters())
        {
            Share(cluster);
        }
    }
}
