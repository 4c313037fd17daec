using KestrelStream.Admin;
using Microsoft.AspNetCore.Routing;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Adds the proxy's health, metrics and API to an app.</summary>
public static class StreamProxyEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps <c>GET /healthz</c>, <c>/readyz</c>, <c>/metrics</c> and <c>/api/…</c> of the stream proxy. All of them only read. They show
    /// addresses of clients and the configuration (without passwords), so keep them on an address of your own or give them a policy with
    /// <c>RequireAuthorization</c>; <c>app.MapGroup("/proxy").MapStreamProxyAdmin()</c> puts them under a prefix.
    /// </summary>
    /// <remarks><c>/healthz</c> asks the health checks tagged <c>stream_proxy</c> and no other one of the app.</remarks>
    public static IEndpointConventionBuilder MapStreamProxyAdmin(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var group = endpoints.MapGroup("");
        group.MapGet("/healthz", HealthEndpoints.GetHealthAsync);
        group.MapGet("/readyz", HealthEndpoints.GetReadinessAsync);
        group.MapGet("/metrics", MetricsEndpoint.GetAsync);
        group.MapGet("/api/config", StateEndpoints.GetConfigAsync);
        group.MapGet("/api/listeners", StateEndpoints.GetListenersAsync);
        group.MapGet("/api/routes", StateEndpoints.GetRoutesAsync);
        group.MapGet("/api/clusters", StateEndpoints.GetClustersAsync);
        group.MapGet("/api/sessions", StateEndpoints.GetSessionsAsync);
        group.MapGet("/api/explain", ExplainEndpoint.GetAsync);
        return group;
    }
}
