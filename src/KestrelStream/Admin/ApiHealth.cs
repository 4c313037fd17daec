using System.Text.Json.Serialization;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KestrelStream.Admin;

/// <summary>Answer of <c>/healthz</c>.</summary>
/// <param name="Status">That of the worst cluster or certificate.</param>
/// <param name="Clusters">By id.</param>
/// <param name="Certificates">Those that routes use, by id; null = there is none.</param>
internal sealed record ApiHealth(
    HealthStatus Status,
    IReadOnlyDictionary<string, ClusterHealth> Clusters,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyDictionary<string, CertificateHealth>? Certificates);
