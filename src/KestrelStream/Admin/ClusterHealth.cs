using KestrelStream.Health;
using KestrelStream.Model;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KestrelStream.Admin;

/// <summary>Health of a cluster.</summary>
/// <param name="Status">Healthy = every destination is up; Degraded = some are out; Unhealthy = none is left.</param>
/// <param name="Up">Destinations that are not out, backups included.</param>
/// <param name="Total">All destinations.</param>
internal sealed record ClusterHealth(HealthStatus Status, int Up, int Total)
{
    public static ClusterHealth Of(ClusterState cluster)
    {
        var destinations = cluster.Model.Destinations;
        var up = destinations.Count(destination => destination.Health != DestinationHealth.Unhealthy);
        var status = up == destinations.Length ? HealthStatus.Healthy : up > 0 ? HealthStatus.Degraded : HealthStatus.Unhealthy;
        return new ClusterHealth(status, up, destinations.Length);
    }
}
