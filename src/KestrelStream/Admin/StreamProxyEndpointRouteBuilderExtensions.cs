using KestrelStream.Admin;
using KestrelStream.Admin.Dashboard;
using KestrelStream.Admin.Explaining;
using KestrelStream.Admin.Live;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Adds the proxy's health, metrics and API to an app.</summary>
public static class StreamProxyEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps the dashboard at <c>/</c>, <c>GET /healthz</c>, <c>/readyz</c>, <c>/metrics</c> and <c>/api/…</c> of the stream proxy, and the changes of its API. Reading shows
    /// addresses of clients and the configuration (without secrets), so keep it on an address of your own or give it a policy with
    /// <c>RequireAuthorization</c>; <c>app.MapGroup("/proxy").MapStreamProxyAdmin()</c> puts it under a prefix.
    /// </summary>
    /// <remarks>
    /// Changes need <c>Authorization: Bearer</c> with the token of the proxy's configuration, <c>StreamProxy:Admin:Token</c>
    /// (<see cref="KestrelStream.Configuration.AdminConfig.Token"/>), on top of any policy of the app; without one they are refused.
    /// Nothing of it answers clients of the proxy whom a route with <c>Action: Http</c> has handed over to the app.
    /// <c>/healthz</c> asks the health checks tagged <c>stream_proxy</c> and no other one of the app.
    /// </remarks>
    public static IEndpointConventionBuilder MapStreamProxyAdmin(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var group = endpoints.MapGroup("");
        group.MapGet("/healthz", HealthEndpoints.GetHealthAsync);
        group.MapGet("/readyz", HealthEndpoints.GetReadinessAsync);
        group.MapGet("/metrics", MetricsEndpoint.GetAsync);
        group.MapGet("/api/config", ConfigEndpoints.GetAsync);
        group.MapGet("/api/config/diff", ConfigEndpoints.GetDifferencesAsync);
        group.MapGet("/api/config/history", ConfigEndpoints.GetHistoryAsync);
        group.MapGet("/api/listeners", StateEndpoints.GetListenersAsync);
        group.MapGet("/api/routes", StateEndpoints.GetRoutesAsync);
        group.MapGet("/api/clusters", StateEndpoints.GetClustersAsync);
        group.MapGet("/api/acme", StateEndpoints.GetAcmeAsync);
        group.MapGet("/api/sessions", SessionEndpoints.GetAllAsync);
        group.MapGet("/api/sessions/{session}", SessionEndpoints.GetAsync);
        group.MapGet("/api/refused", RefusedEndpoint.GetAsync);
        group.MapGet("/api/certificates", StateEndpoints.GetCertificatesAsync);
        group.MapGet("/api/explain", ExplainEndpoint.GetAsync);
        group.MapGet("/api/access", AccessEndpoint.GetAsync);
        MapChanges(group);
        MapDashboard(group);
        AdminAccess.KeepOffSessions(group);
        return group;
    }

    private static void MapDashboard(IEndpointRouteBuilder group)
    {
        // An app that has a page of its own there keeps it.
        group.MapGet("/", DashboardPage.GetAsync).WithOrder(int.MaxValue);
        group.MapGet("/api/live", LiveEndpoints.GetLiveAsync);
        group.MapGet("/api/live/now", LiveEndpoints.GetNowAsync);
        group.MapGet("/api/history", LiveEndpoints.GetHistoryAsync);
        var services = group.ServiceProvider;
        services.GetService<IHostApplicationLifetime>()?.ApplicationStarted.Register(() => services.GetRequiredService<TrafficHistory>().Start());
    }

    private static void MapChanges(IEndpointRouteBuilder group)
    {
        const string Destinations = "/api/clusters/{cluster}/destinations";
        group.MapMethods(Destinations, [HttpMethods.Post, HttpMethods.Put], AdminAccess.Guard(AdminChange.DestinationAdd, DestinationEndpoints.AddAsync));
        group.MapPost(Destinations + "/{destination}", AdminAccess.Guard(AdminChange.DestinationSet, DestinationEndpoints.SetAsync));
        group.MapDelete(Destinations + "/{destination}", AdminAccess.Guard(AdminChange.DestinationRemove, DestinationEndpoints.RemoveAsync));
        group.MapDelete("/api/sessions", AdminAccess.Guard(AdminChange.SessionClose, SessionEndpoints.CloseAllAsync));
        group.MapDelete("/api/sessions/{session}", AdminAccess.Guard(AdminChange.SessionClose, SessionEndpoints.CloseAsync));
        group.MapPost("/api/config/rollback", AdminAccess.Guard(AdminChange.ConfigRollback, ConfigEndpoints.RollBackAsync));
    }
}
