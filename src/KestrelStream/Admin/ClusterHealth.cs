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
        var model = cluster.Model;
        var up = model.Destinations.Count(destination => destination.Control.IsCounted && destination.Health != DestinationHealth.Unhealthy);
        var drained = model.Destinations.Count(destination => !destination.Control.IsCounted);

        // A name that has never been resolved counts as one that is not up.
        var total = model.Destinations.Length + model.Sources.Count(source => source.State is { Addresses.IsEmpty: true });
        var status = up > 0 ? up + drained == total ? HealthStatus.Healthy : HealthStatus.Degraded

            // Before the first lookup has ended nothing is known yet.
            : total == 0 && model.Sources.Length > 0 ? HealthStatus.Healthy : HealthStatus.Unhealthy;
        return new ClusterHealth(status, up, total, drained);
    }
}
