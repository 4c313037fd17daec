using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace KestrelStream.Yarp;

/// <summary>YARP's own, which it calls whenever health has changed, and then the stream proxy's share of it. Thread-safe.</summary>
internal sealed class SharingDestinationsUpdater(IClusterDestinationsUpdater own, Lazy<SharedHealth> health) : IClusterDestinationsUpdater
{
    public void UpdateAvailableDestinations(ClusterState cluster)
    {
        own.UpdateAvailableDestinations(cluster);
        health.Value.Share(cluster);
    }

    public void UpdateAllDestinations(ClusterState cluster)
    {
        own.UpdateAllDestinations(cluster);
        health.Value.Share(cluster);
    }
}
