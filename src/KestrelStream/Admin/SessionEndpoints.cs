using System.Globalization;
using KestrelStream.Admin.Live;
using KestrelStream.Diagnostics;
using KestrelStream.Sessions;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelStream.Admin;

/// <summary><c>/api/sessions</c>: shows the running ones, and closes them.</summary>
internal static class SessionEndpoints
{
    /// <summary>How many there are, on all pages.</summary>
    private const string TotalHeader = "X-Total-Count";

    public static Task GetAllAsync(HttpContext context)
    {
        if (SessionQuery.Read(context.Request.Query, out var error) is not { } query)
        {
            return AdminResponse.WriteProblemAsync(context, StatusCodes.Status400BadRequest, "Bad query", error!);
        }

        var rates = Rates(context);
        rates.Ask();
        var page = query.Find(Table(context), rates, out var total);
        context.Response.Headers[TotalHeader] = total.ToString(CultureInfo.InvariantCulture);
        return AdminResponse.WriteAsync(context, page.Select(session => Describe(session, rates)), AdminJson.Default.IEnumerableApiSession);
    }

    public static Task GetAsync(HttpContext context)
        => Find(context) is { } session
            ? AdminResponse.WriteAsync(context, Describe(session, Rates(context)), AdminJson.Default.ApiSession)
            : WriteUnknownAsync(context);

    public static Task CloseAsync(HttpContext context)
    {
        if (Find(context) is not { } session || !session.TryClose())
        {
            ChangeRecord.Count(context, AdminChange.SessionClose, ChangeOutcome.Rejected);
            return WriteUnknownAsync(context);
        }

        ChangeRecord.Applied(context, AdminChange.SessionClose, $"session {session.IdText}", "running", "closed");
        return AdminResponse.WriteAsync(context, new ApiClosed(1), AdminJson.Default.ApiClosed);
    }

    public static Task CloseAllAsync(HttpContext context)
    {
        var filter = SessionFilter.Read(context.Request.Query, [], out var error);
        if (error is not null || filter.IsEmpty)
        {
            ChangeRecord.Count(context, AdminChange.SessionClose, ChangeOutcome.Rejected);
            return AdminResponse.WriteProblemAsync(
                context, StatusCodes.Status400BadRequest, "Bad query", error ?? "Which sessions? One or more of listener, route, cluster, destination, client, sni is needed: nobody closes all of them by mistake.");
        }

        var closed = Table(context).Snapshot().Count(session => filter.Takes(session) && session.TryClose());
        ChangeRecord.Applied(context, AdminChange.SessionClose, $"sessions with {filter}", "running", string.Create(CultureInfo.InvariantCulture, $"{closed} closed"));
        return AdminResponse.WriteAsync(context, new ApiClosed(closed), AdminJson.Default.ApiClosed);
    }

    private static SessionTable Table(HttpContext context) => context.RequestServices.GetRequiredService<SessionTable>();

    private static SessionRates Rates(HttpContext context) => context.RequestServices.GetRequiredService<SessionRates>();

    /// <summary>Null = there is none that runs.</summary>
    private static StreamSession? Find(HttpContext context)
        => long.TryParse((string?)context.Request.RouteValues["session"], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var id)
            && Table(context).Find(id) is { } session && session.Phase != SessionPhase.Closed
            ? session
            : null;

    private static Task WriteUnknownAsync(HttpContext context)
        => AdminResponse.WriteProblemAsync(context, StatusCodes.Status404NotFound, "Unknown session", "No session of that id runs; /api/sessions has them all.");

    private static ApiSession Describe(StreamSession session, SessionRates rates)
    {
        var rate = rates.Of(session);
        return new ApiSession(
            session.IdText,
            session.ListenerModel.Id,
            session.Route?.Id,
            session.Route?.Cluster?.Id,
            session.Destination?.Id,
            EndPointText.Of(session.ClientEndPoint),
            session.ServerName,
            session.Phase,
            Volatile.Read(ref session.BytesIn),
            Volatile.Read(ref session.BytesOut),
            session.Started,
            session.ListenerModel.Generation,
            session.Tls?.ClientCertificate,
            rate is null ? null : Math.Round(rate.Value.In, 1),
            rate is null ? null : Math.Round(rate.Value.Out, 1));
    }
}
