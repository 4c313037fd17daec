using KestrelStream.Model;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KestrelStream.Admin;

/// <summary>
/// The health of pools and certificates as a check of Microsoft.Extensions.Diagnostics.HealthChecks: one entry a cluster and one a certificate in its data, the worst
/// of them as its status. Draining is no illness: <c>/readyz</c> tells it.
/// </summary>
internal sealed class StreamProxyHealthCheck(IProxyState state, TimeProvider time) : IHealthCheck
{
    public const string Name = "stream_proxy";

    /// <summary>Stands before the id of a certificate in the data: a cluster may have the same.</summary>
    public const string CertificatePrefix = "certificate:";

    /// <summary><c>/healthz</c> asks the checks that have it: those of the proxy, and none of the app that hosts it.</summary>
    public const string Tag = "stream_proxy";

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var status = HealthStatus.Healthy;
        var data = new Dictionary<string, object>(StringComparer.OrdinalIgnoreCase);
        var ill = new List<string>();
        foreach (var cluster in state.Current?.ClustersInOrder ?? [])
        {
            var health = ClusterHealth.Of(cluster);
            data.Add(cluster.Id, health);
            if (health.Status != HealthStatus.Healthy)
            {
                ill.Add($"{cluster.Id}: {health.Up} of {health.Total} destinations up{(health.Drained > 0 ? $", {health.Drained} out of service" : "")}");
            }

            // Unhealthy is the lowest value.
            status = (HealthStatus)Math.Min((int)status, (int)health.Status);
        }

        foreach (var certificate in UsedCertificates())
        {
            var health = CertificateHealth.Of(certificate, time.GetUtcNow());
            data.Add(CertificatePrefix + certificate.Id, health);
            if (health.Status != HealthStatus.Healthy)
            {
                ill.Add($"certificate {certificate.Id}: {health.Describe()}");
            }

            status = (HealthStatus)Math.Min((int)status, (int)health.Status);
        }

        return Task.FromResult(new HealthCheckResult(status, ill.Count == 0 ? "All destinations are up" : string.Join("; ", ill), exception: null, data));
    }

    /// <summary>One that no route names may rest in the configuration as it is.</summary>
    private IEnumerable<CertificateStatus> UsedCertificates()
    {
        var used = (state.Current?.Routes.Values ?? [])
            .Where(route => route.Terminates)
            .SelectMany(route => route.Config.Tls!.Certificates)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        return state.Certificates.Where(certificate => used.Contains(certificate.Id)).OrderBy(certificate => certificate.Id, StringComparer.OrdinalIgnoreCase);
    }
}
