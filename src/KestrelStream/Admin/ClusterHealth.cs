using System.Text.Json.Serialization;
using KestrelStream.Configuration;
using KestrelStream.Health;
using KestrelStream.Model;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KestrelStream.Admin;

/// <summary>Health of a cluster.</summary>
/// <param name="Status">Healthy = every destination that is in service is up; Degraded = some are out; Unhealthy = none is left that gets sessions.</param>
/// <param name="Up">Destinations in service that are not out, backups included.</param>
/// <param name="Total">All destinations.</param>
/// <param name="Drained">Those that an operator has taken out of service: they are missing on purpose, which is no illness.</param>
internal sealed record ClusterHealth(
    HealthStatus Status, int Up, int Total, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int Drained = 0)
{
    public static ClusterHealth Of(ClusterState cluster)
    {
        var destinations = cluster.Model.Destinations;
        var up = destinations.Count(destination => destination.Control.IsCounted && destination.Health != DestinationHealth.Unhealthy);
        var drained = destinations.Count(destination => !destination.Control.IsCounted);
        var status = up == 0 ? HealthStatus.Unhealthy : up + drained == destinations.Length ? HealthStatus.Healthy : HealthStatus.Degraded;
        return new ClusterHealth(status, up, destinations.Length, drained);
    }
}
