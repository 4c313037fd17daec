using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Model;
using KestrelStream.Sessions;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelStream.Admin;

/// <summary>What runs now: <c>/api/listeners</c>, <c>/api/routes</c>, <c>/api/clusters</c>, <c>/api/certificates</c>. Lists are in the order of their ids.</summary>
internal static class StateEndpoints
{
    public static Task GetListenersAsync(HttpContext context)
    {
        var state = State(context);
        var metrics = context.RequestServices.GetRequiredService<StreamProxyMetrics>();
        var bytes = metrics.ReadByteTotals();
        var answer =
            from listener in state.Listeners
            let model = listener.Model
            orderby model.Id
            let total = bytes.GetValueOrDefault(metrics.Of(model))
            select new ApiListener(
                model.Id,
                model.Address.ToString(),
                [.. listener.Bound.Select(EndPointText.Of)],
                [.. Routes(state).Where(route => TakesFrom(route, model.Id)).Select(route => route.Id)],
                listener.ActiveSessions,
                model.Config.MaxConnections,
                total.In,
                total.Out);
        return AdminResponse.WriteAsync(context, answer, AdminJson.Default.IEnumerableApiListener);
    }

    public static Task GetRoutesAsync(HttpContext context)
    {
        var state = State(context);
        var active = context.RequestServices.GetRequiredService<SessionTable>().Snapshot()
            .Where(session => session.Route is not null && session.Phase != SessionPhase.Closed)
            .CountBy(session => session.Route!.Id, StringComparer.OrdinalIgnoreCase)
            .ToDictionary(StringComparer.OrdinalIgnoreCase);
        var ended = context.RequestServices.GetRequiredService<StreamProxyMetrics>().ReadEndedSessions();
        var answer =
            from route in Routes(state)
            select new ApiRoute(
                route.Id,
                [.. (state.Current?.Listeners.Keys ?? []).Where(listener => TakesFrom(route, listener)).Order(StringComparer.OrdinalIgnoreCase)],
                route.Config.Match,
                route.Config.StartTls,
                route.Action,
                route.Config.Tls?.Mode ?? TlsMode.Passthrough,
                route.Config.Tls?.Certificates ?? [],
                route.Cluster?.Id,
                route.Config.Order,
                active.GetValueOrDefault(route.Id),
                active.GetValueOrDefault(route.Id) + ended.GetValueOrDefault(route.Id));
        return AdminResponse.WriteAsync(context, answer, AdminJson.Default.IEnumerableApiRoute);
    }

    public static Task GetClustersAsync(HttpContext context)
    {
        var answer =
            from cluster in State(context).Current?.Clusters.Values ?? []
            orderby cluster.Id
            let model = cluster.Model
            let leaving = model.Sources.SelectMany(source => source.Leaving)
            select new ApiCluster(
                cluster.Id,
                model.Policy.Name,
                cluster.QueueLength,
                model.Config.Queue?.MaxLength ?? 0,
                [.. model.Destinations.Select(destination => Describe(destination, isLeaving: false)), .. leaving.Select(destination => Describe(destination, isLeaving: true))],
                [.. model.Sources.Select(ApiName.Of)]);
        return AdminResponse.WriteAsync(context, answer, AdminJson.Default.IEnumerableApiCluster);
    }

    public static Task GetCertificatesAsync(HttpContext context)
        => AdminResponse.WriteAsync(
            context,
            State(context).Certificates.OrderBy(certificate => certificate.Id, StringComparer.OrdinalIgnoreCase).Select(ApiCertificate.Of),
            AdminJson.Default.IEnumerableApiCertificate);

    public static Task GetAcmeAsync(HttpContext context)
    {
        var answer =
            from issuance in State(context).Issuances
            orderby issuance.Id
            select new ApiIssuance(issuance.Id, issuance.State, issuance.Next, issuance.LastError, issuance.Issued, issuance.Failed);
        return AdminResponse.WriteAsync(context, answer, AdminJson.Default.IEnumerableApiIssuance);
    }

    private static IProxyState State(HttpContext context) => context.RequestServices.GetRequiredService<IProxyState>();

    private static IEnumerable<RouteModel> Routes(IProxyState state)
        => (state.Current?.Routes.Values ?? []).OrderBy(route => route.Id, StringComparer.OrdinalIgnoreCase);

    private static bool TakesFrom(RouteModel route, string listener)
        => route.Config.Listeners?.Contains(listener, StringComparer.OrdinalIgnoreCase) ?? true;

    private static ApiDestination Describe(DestinationState destination, bool isLeaving) => new(
        destination.Id,
        destination.Address.ToString(),
        [.. destination.EndPoints.Select(EndPointText.Of)],
        destination.Source?.Id,
        isLeaving ? "leaving" : ApiDestinationSettings.Word(destination.Control.State),
        !isLeaving && destination.Control.State == OperatorState.Ready ? null : destination.ActiveSessions,
        destination.Health,
        ApiDestinationSettings.Word(destination.Control.Health),
        destination.Weight,
        destination.Config.Backup,
        destination.Config.MaxConnections,
        destination.ActiveSessions,
        destination.TotalSessions,
        destination.DialFailures,
        destination.Warm?.Count,
        ApiCheck.Of(destination.LastCheck));
}
