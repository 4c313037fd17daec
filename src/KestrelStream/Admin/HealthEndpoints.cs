using KestrelStream.Model;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KestrelStream.Admin;

/// <summary><c>/healthz</c> and <c>/readyz</c>.</summary>
internal static class HealthEndpoints
{
    /// <remarks>Asks the health check service itself rather than MapHealthChecks, whose endpoint answers every method.</remarks>
    public static async Task GetHealthAsync(HttpContext context)
    {
        var checks = context.RequestServices.GetRequiredService<HealthCheckService>();
        var report = await checks.CheckHealthAsync(check => check.Tags.Contains(StreamProxyHealthCheck.Tag), context.RequestAborted);
        var clusters = new Dictionary<string, ClusterHealth>();
        Dictionary<string, CertificateHealth>? certificates = null;
        foreach (var (id, value) in report.Entries.Values.SelectMany(entry => entry.Data))
        {
            if (value is ClusterHealth health)
            {
                clusters[id] = health;
            }
            else if (value is CertificateHealth certificate)
            {
                (certificates ??= []).Add(id[StreamProxyHealthCheck.CertificatePrefix.Length..], certificate);
            }
        }

        var status = report.Status == HealthStatus.Unhealthy ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK;
        await AdminResponse.WriteAsync(context, new ApiHealth(report.Status, clusters, certificates), AdminJson.Default.ApiHealth, status);
    }

    public static Task GetReadinessAsync(HttpContext context)
    {
        var state = context.RequestServices.GetRequiredService<IProxyState>();
        var isReady = state is { IsReady: true, IsDraining: false };
        return AdminResponse.WriteAsync(
            context,
            new ApiReadiness(isReady ? "Ready" : state.IsDraining ? "Draining" : "Starting"),
            AdminJson.Default.ApiReadiness,
            isReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }
}
