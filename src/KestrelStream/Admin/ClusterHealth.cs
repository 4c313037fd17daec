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
        var model = cluster.Model;
        var up = model.Destinations.Count(destination => destination.Health != DestinationHealth.Unhealthy);

        // A name that has never been resolved counts as one that is not up. Before the first lookup has ended nothing is known yet.
        var total = model.Destinations.Length + model.Sources.Count(source => source.State is { Addresses.IsEmpty: true });
        var status = up == total ? HealthStatus.Healthy : up > 0 ? HealthStatus.Degraded : HealthStatus.Unhealthy;
        return new ClusterHealth(status, up, total);
    }
}
