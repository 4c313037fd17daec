using KestrelStream.Management;
using KestrelStream.Model;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelStream.Admin;

/// <summary>The configuration: <c>/api/config</c>, what of it is not what its source says, and the way back.</summary>
internal static class ConfigEndpoints
{
    public static Task GetAsync(HttpContext context)
    {
        if (context.RequestServices.GetRequiredService<IProxyState>().Current is not { } snapshot)
        {
            return AdminResponse.WriteProblemAsync(context, StatusCodes.Status503ServiceUnavailable, "Not started", "No configuration is in force yet.");
        }

        var answer = new ApiConfig(snapshot.Generation, snapshot.Applied, snapshot.Config);
        return AdminResponse.WriteAsync(context, answer, ConfigRedaction.ApiConfig);
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

    private static IProxyControl Control(HttpContext context) => context.RequestServices.GetRequiredService<IProxyControl>();
}
