using KestrelStream.Admin.Live;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Model;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelStream.Admin;

/// <summary>What runs now: <c>/api/listeners</c>, <c>/api/routes</c>, <c>/api/clusters</c>, <c>/api/certificates</c>. Lists are in the order of their ids.</summary>
internal static class StateEndpoints
{
    public static Task GetListenersAsync(HttpContext context)
    {
        var traffic = Read(context);
        var answer =
            from listener in traffic.Listeners
            let model = listener.Listener.Model
            select new ApiListener(
                model.Id,
                model.Address.ToString(),
                [.. listener.Listener.Bound.Select(EndPointText.Of)],
                [.. traffic.Routes.Where(route => TakesFrom(route.Route, model.Id)).Select(route => route.Route.Id)],
                listener.Active,
                model.Config.MaxConnections,
                listener.BytesIn,
                listener.BytesOut,
                listener.Most,
                listener.Total);
        return AdminResponse.WriteAsync(context, answer, AdminJson.Default.IEnumerableApiListener);
    }

    public static Task GetRoutesAsync(HttpContext context)
    {
        var traffic = Read(context);
        var answer =
            from line in traffic.Routes
            let route = line.Route
            select new ApiRoute(
                route.Id,
                [.. traffic.Snapshot!.Listeners.Keys.Where(listener => TakesFrom(route, listener)).Order(StringComparer.OrdinalIgnoreCase)],
                route.Config.Match,
                route.Config.StartTls,
                route.Action,
                route.Config.Tls?.Mode ?? TlsMode.Passthrough,
                route.Config.Tls?.Certificates ?? [],
                route.Cluster?.Id,
                route.Config.Order,
                line.Active,
                line.Total,
                line.BytesIn,
                line.BytesOut);
        return AdminResponse.WriteAsync(context, answer, AdminJson.Default.IEnumerableApiRoute);
    }

    public static Task GetClustersAsync(HttpContext context)
    {
        var traffic = Read(context);
        var members = traffic.Members.ToLookup(member => member.Cluster);
        var answer =
            from cluster in traffic.Clusters
            let model = cluster.Model
            select new ApiCluster(
                cluster.Id,
                model.Policy.Name,
                cluster.QueueLength,
                model.Config.Queue?.MaxLength ?? 0,
                [.. members[cluster].Select(Describe)],
                [.. model.Sources.Select(ApiName.Of)]);
        return AdminResponse.WriteAsync(context, answer, AdminJson.Default.IEnumerableApiCluster);
    }

    public static Task GetCertificatesAsync(HttpContext context)
        => AdminResponse.WriteAsync(
            context,
            context.RequestServices.GetRequiredService<IProxyState>().Certificates.OrderBy(certificate => certificate.Id, StringComparer.OrdinalIgnoreCase).Select(ApiCertificate.Of),
            AdminJson.Default.IEnumerableApiCertificate);

    public static Task GetAcmeAsync(HttpContext context)
    {
        var answer =
            from issuance in context.RequestServices.GetRequiredService<IProxyState>().Issuances
            orderby issuance.Id
            select new ApiIssuance(issuance.Id, issuance.State, issuance.Next, issuance.LastError, issuance.Issued, issuance.Failed);
        return AdminResponse.WriteAsync(context, answer, AdminJson.Default.IEnumerableApiIssuance);
    }

    /// <summary>Whether a route takes sessions of a listener.</summary>
    public static bool TakesFrom(RouteModel route, string listener)
        => route.Config.Listeners?.Contains(listener, StringComparer.OrdinalIgnoreCase) ?? true;

    /// <summary>What an operator, or its name, wants of a member.</summary>
    public static string StateOf(MemberTraffic member) => member.IsLeaving ? "leaving" : ApiDestinationSettings.Word(member.Destination.Control.State);

    private static TrafficReading Read(HttpContext context) => context.RequestServices.GetRequiredService<TrafficReader>().Read();

    private static ApiDestination Describe(MemberTraffic member)
    {
        var destination = member.Destination;
        return new ApiDestination(
            destination.Id,
            destination.Address.ToString(),
            [.. destination.EndPoints.Select(EndPointText.Of)],
            destination.Source?.Id,
            StateOf(member),
            !member.IsLeaving && destination.Control.State == OperatorState.Ready ? null : destination.ActiveSessions,
            destination.Health,
            ApiDestinationSettings.Word(destination.Control.Health),
            destination.Weight,
            destination.Config.Backup,
            destination.Config.MaxConnections,
            destination.ActiveSessions,
            destination.TotalSessions,
            destination.DialFailures,
            destination.Warm?.Count,
            destination.MostSessions,
            destination.FailedSessions,
            destination.Ejections,
            member.BytesIn,
            member.BytesOut,
            ApiCheck.Of(destination.LastCheck));
    }
}
