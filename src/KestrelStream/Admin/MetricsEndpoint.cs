using KestrelStream.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelStream.Admin;

/// <summary><c>/metrics</c>.</summary>
internal static class MetricsEndpoint
{
    public static async Task GetAsync(HttpContext context)
    {
        AdminResponse.DoNotCache(context);
        context.Response.ContentType = PrometheusTextWriter.ContentType;
        PrometheusText.Write(
            context.RequestServices.GetRequiredService<StreamProxyMetrics>(), context.RequestServices.GetService<ProcessReadings>(), context.Response.BodyWriter);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
