using KestrelStream.Model;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KestrelStream.Admin;

/// <summary>
/// The pools' health as a check of Microsoft.Extensions.Diagnostics.HealthChecks: one entry a cluster in its data, the worst of them as its
/// status. Draining is no illness: <c>/readyz</c> tells it.
/// </summary>
internal sealed class StreamProxyHealthCheck(IProxyState state) : IHealthCheck
{
    public const string Name = "stream_proxy";

    /// <summary><c>/healthz</c> asks the checks that have it: those of the proxy, and none of the app that hosts it.</summary>
    public const string Tag = "stream_proxy";

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var status = HealthStatus.Healthy;
        var data = new Dictionary<string, object>(StringComparer.OrdinalIgnoreCase);
        var ill = new List<string>();
        foreach (var cluster in (state.Current?.Clusters.Values ?? []).OrderBy(cluster => cluster.Id, StringComparer.OrdinalIgnoreCase))
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

        return Task.FromResult(new HealthCheckResult(status, ill.Count == 0 ? "All destinations are up" : string.Join("; ", ill), exception: null, data));
    }
}
