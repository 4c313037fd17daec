using System.Globalization;
using KestrelStream.Management;
using KestrelStream.Model;
using KestrelStream.Sessions;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelStream.Admin;

/// <summary>The configuration: <c>/api/config</c>, what has happened to it, what of it is not what its source says, and the way back.</summary>
internal static class ConfigEndpoints
{
    public static async Task GetAsync(HttpContext context)
    {
        if (context.RequestServices.GetRequiredService<IProxyState>().Current is not { } snapshot)
        {
            await AdminResponse.WriteProblemAsync(context, StatusCodes.Status503ServiceUnavailable, "Not started", "No configuration is in force yet.");
            return;
        }

        var applied = History(context).Read().FirstOrDefault(change => change.Generation == snapshot.Generation && change.Kind != ConfigEventKind.Rejected);
        var (changes, total) = await ApiConfigChange.OfAsync(applied?.Changes);
        var sessions =
            from session in context.RequestServices.GetRequiredService<SessionTable>().Snapshot()
            where session.Phase != SessionPhase.Closed
            group session by session.ListenerModel.Generation into generation
            orderby generation.Key descending
            select new ApiGeneration(generation.Key, generation.Count());
        var answer = new ApiConfig(snapshot.Generation, snapshot.Applied, snapshot.Config, changes, total, [.. sessions]);
        await AdminResponse.WriteAsync(context, answer, ConfigRedaction.ApiConfig);
    }

    public static async Task GetHistoryAsync(HttpContext context)
    {
        var answer = new List<ApiConfigEvent>();
        foreach (var happened in History(context).Read())
        {
            var (changes, total) = await ApiConfigChange.OfAsync(happened.Changes);
            answer.Add(new ApiConfigEvent(
                happened.Id.ToString(CultureInfo.InvariantCulture),
                happened.Time,
                happened.Kind,
                happened.Generation == 0 ? null : happened.Generation,
                happened.Who,
                happened.What,
                happened.From,
                happened.To,
                changes,
                total,
                happened.Errors));
        }

        await AdminResponse.WriteAsync(context, answer, AdminJson.Default.IEnumerableApiConfigEvent);
    }

    public static async Task GetDifferencesAsync(HttpContext context)
    {
        var differences = await Control(context).CompareAsync(context.RequestAborted);
        await AdminResponse.WriteAsync(context, differences, AdminJson.Default.IReadOnlyListConfigDifference);
    }

    public static async Task RollBackAsync(HttpContext context)
    {
        // There is nothing to say in a body; a form of some web page is told by its type all the same.
        if (context.Request.ContentType is not null && !ChangeBody.IsJson(context.Request))
        {
            ChangeRecord.Count(context, AdminChange.ConfigRollback, ChangeOutcome.Rejected);
            await AdminResponse.WriteProblemAsync(context, StatusCodes.Status415UnsupportedMediaType, "Not JSON", "No body is needed, or Content-Type: application/json.");
            return;
        }

        var before = context.RequestServices.GetRequiredService<IProxyState>().Current?.Generation;
        var result = await Control(context).RollBackAsync(context.RequestAborted);
        if (result.Status == ChangeStatus.Applied)
        {
            ChangeRecord.Applied(context, AdminChange.ConfigRollback, "config", $"generation {before}", $"generation {result.Generation}");
            await AdminResponse.WriteAsync(context, new ApiRollback(result.Generation), AdminJson.Default.ApiRollback);
            return;
        }

        ChangeRecord.Count(context, AdminChange.ConfigRollback, ChangeOutcome.Rejected);
        var (status, title, detail) = result.Status switch
        {
            ChangeStatus.NothingBefore => (StatusCodes.Status409Conflict, "Nothing to go back to", "No reload has been applied since start."),
            ChangeStatus.Invalid => (StatusCodes.Status409Conflict, "Not valid any more", "The configuration before cannot be applied now; nothing was changed. See errors."),
            _ => (StatusCodes.Status503ServiceUnavailable, "Not running", "The proxy has not started yet, or is stopping."),
        };
        await AdminResponse.WriteProblemAsync(context, status, title, detail, result.Errors.Count > 0 ? result.Errors : null);
    }

    private static ConfigHistory History(HttpContext context) => context.RequestServices.GetRequiredService<ConfigHistory>();

    private static IProxyControl Control(HttpContext context) => context.RequestServices.GetRequiredService<IProxyControl>();
}
