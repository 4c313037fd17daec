using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KestrelStream.Admin;

/// <summary>Answer of <c>/healthz</c>.</summary>
/// <param name="Status">That of the worst cluster.</param>
/// <param name="Clusters">By id.</param>
internal sealed record ApiHealth(HealthStatus Status, IReadOnlyDictionary<string, ClusterHealth> Clusters);
