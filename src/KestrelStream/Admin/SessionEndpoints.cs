using System.Globalization;
using KestrelStream.Diagnostics;
using KestrelStream.Sessions;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelStream.Admin;

/// <summary><c>/api/sessions</c>: shows the running ones, and closes them.</summary>
internal static class SessionEndpoints
{
    public static Task GetAllAsync(HttpContext context)
    {
        var filter = SessionFilter.Read(context.Request.Query, out var error);
        if (error is not null)
        {
            return AdminResponse.WriteProblemAsync(context, StatusCodes.Status400BadRequest, "Bad query", error);
        }

        // Those that have ended and are being put away have their record already.
        var answer =
            from session in Table(context).Snapshot()
            where session.Phase != SessionPhase.Closed && filter.Takes(session)
            orderby session.Id
            select Describe(session);
        return AdminResponse.WriteAsync(context, answer, AdminJson.Default.IEnumerableApiSession);
    }

    public static Task GetAsync(HttpContext context)
        => Find(context) is { } session
            ? AdminResponse.WriteAsync(context, Describe(session), AdminJson.Default.ApiSession)
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
        var filter = SessionFilter.Read(context.Request.Query, out var error);
        if (error is not null || filter.IsEmpty)
        {
            ChangeRecord.Count(context, AdminChange.SessionClose, ChangeOutcome.Rejected);
            return AdminResponse.WriteProblemAsync(
                context, StatusCodes.Status400BadRequest, "Bad query", error ?? "Which sessions? One or more of route, cluster, destination is needed: nobody closes all of them by mistake.");
        }

        var closed = Table(context).Snapshot().Count(session => filter.Takes(session) && session.TryClose());
        ChangeRecord.Applied(context, AdminChange.SessionClose, $"sessions with {filter}", "running", string.Create(CultureInfo.InvariantCulture, $"{closed} closed"));
        return AdminResponse.WriteAsync(context, new ApiClosed(closed), AdminJson.Default.ApiClosed);
    }

    private static SessionTable Table(HttpContext context) => context.RequestServices.GetRequiredService<SessionTable>();

    /// <summary>Null = there is none that runs.</summary>
    private static StreamSession? Find(HttpContext context)
        => long.TryParse((string?)context.Request.RouteValues["session"], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var id)
            && Table(context).Find(id) is { } session && session.Phase != SessionPhase.Closed
            ? session
            : null;

    private static Task WriteUnknownAsync(HttpContext context)
        => AdminResponse.WriteProblemAsync(context, StatusCodes.Status404NotFound, "Unknown session", "No session of that id runs; /api/sessions has them all.");

    private static ApiSession Describe(StreamSession session) => new(
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
        session.Tls?.ClientCertificate);
}
