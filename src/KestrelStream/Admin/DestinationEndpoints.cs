using KestrelStream.Configuration;
using KestrelStream.Management;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelStream.Admin;

/// <summary>Changes of destinations: <c>/api/clusters/{cluster}/destinations</c>.</summary>
internal static class DestinationEndpoints
{
    /// <summary><c>POST …/{destination}</c>: state, weight, health.</summary>
    public static async Task SetAsync(HttpContext context)
    {
        if (await ChangeBody.ReadAsync(context) is not { } body)
        {
            ChangeRecord.Count(context, AdminChange.DestinationSet, ChangeOutcome.Rejected);
            return;
        }

        var change = new DestinationChange(
            body.Choice<OperatorState>("state"), body.Number("weight"), body.Choice<OperatorHealth>("health"));
        body.RefuseOthers();
        if (body.Errors.Count == 0 && change is { State: null, Weight: null, Health: null })
        {
            body.Errors.Add(new ConfigError("", "nothing is to be changed; valid: one or more of state, weight, health"));
        }

        if (body.Errors.Count > 0)
        {
            await RefuseAsync(context, AdminChange.DestinationSet, body.Errors);
            return;
        }

        var result = await Control(context).SetDestinationAsync(Cluster(context), Destination(context), change, context.RequestAborted);
        await AnswerAsync(context, AdminChange.DestinationSet, result);
    }

    /// <summary><c>POST …</c> or <c>PUT …</c>: one more.</summary>
    public static async Task AddAsync(HttpContext context)
    {
        if (await ChangeBody.ReadAsync(context) is not { } body)
        {
            ChangeRecord.Count(context, AdminChange.DestinationAdd, ChangeOutcome.Rejected);
            return;
        }

        var defaults = new DestinationConfig();
        var id = body.Text("id");
        var config = new DestinationConfig
        {
            Address = body.Text("address") ?? "",
            Weight = body.Number("weight") ?? defaults.Weight,
            Backup = body.Flag("backup") ?? defaults.Backup,
            MaxConnections = body.Number("max_connections"),
            Health = body.Text("health"),
            Host = body.Text("host"),
        };
        body.RefuseOthers();

        // The rules of ids beyond this are the validator's. A colon would be one of a path.
        if ((string.IsNullOrEmpty(id) || id.Contains(':')) && body.Errors.All(error => error.Path != "id"))
        {
            body.Errors.Add(new ConfigError("id", string.IsNullOrEmpty(id) ? "is missing or empty; valid: text" : $"{ErrorText.Quote(id)} is not an id; valid: text without :"));
        }

        if (body.Errors.Count > 0)
        {
            await RefuseAsync(context, AdminChange.DestinationAdd, body.Errors);
            return;
        }

        var result = await Control(context).AddDestinationAsync(Cluster(context), id!, config, context.RequestAborted);
        await AnswerAsync(context, AdminChange.DestinationAdd, result);
    }

    /// <summary><c>DELETE …/{destination}</c>.</summary>
    public static async Task RemoveAsync(HttpContext context)
    {
        var result = await Control(context).RemoveDestinationAsync(Cluster(context), Destination(context), context.RequestAborted);
        await AnswerAsync(context, AdminChange.DestinationRemove, result);
    }

    private static IProxyControl Control(HttpContext context) => context.RequestServices.GetRequiredService<IProxyControl>();

    private static string Cluster(HttpContext context) => (string)context.Request.RouteValues["cluster"]!;

    private static string Destination(HttpContext context) => (string)context.Request.RouteValues["destination"]!;

    private static Task AnswerAsync(HttpContext context, AdminChange change, ChangeResult result)
    {
        if (result.Status is ChangeStatus.Applied or ChangeStatus.Unchanged)
        {
            ChangeRecord.Applied(context, change, $"{result.Cluster}/{result.Destination}", ChangeRecord.Describe(result.From), ChangeRecord.Describe(result.To));
            return AdminResponse.WriteAsync(
                context,
                ApiDestinationSettings.Of(result.Destination!, (result.To ?? result.From)!),
                AdminJson.Default.ApiDestinationSettings,
                change == AdminChange.DestinationAdd ? StatusCodes.Status201Created : StatusCodes.Status200OK);
        }

        if (result.Status == ChangeStatus.Invalid)
        {
            return RefuseAsync(context, change, result.Errors);
        }

        ChangeRecord.Count(context, change, ChangeOutcome.Rejected);
        var (status, title, detail) = result.Status switch
        {
            ChangeStatus.UnknownCluster => (StatusCodes.Status404NotFound, "Unknown cluster", "There is no cluster of that id; /api/clusters has them all."),
            ChangeStatus.UnknownDestination => (StatusCodes.Status404NotFound, "Unknown destination", "The cluster has no destination of that id; /api/clusters has them all."),
            ChangeStatus.Exists => (StatusCodes.Status409Conflict, "Exists", "The cluster has a destination of that id: change it, or remove it first."),
            _ => (StatusCodes.Status503ServiceUnavailable, "Not running", "The proxy has not started yet, or is stopping."),
        };
        return AdminResponse.WriteProblemAsync(context, status, title, detail);
    }

    private static Task RefuseAsync(HttpContext context, AdminChange change, IReadOnlyList<ConfigError> errors)
    {
        ChangeRecord.Count(context, change, ChangeOutcome.Rejected);
        return AdminResponse.WriteProblemAsync(context, StatusCodes.Status400BadRequest, "Not valid", "Nothing was changed; see errors.", errors);
    }
}
