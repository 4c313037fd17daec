using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Management;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Admin;

/// <summary>Counts every request for a change, and logs those that were applied: who, what, from what, to what. Stateless; thread-safe.</summary>
internal static partial class ChangeRecord
{
    public static ILogger Logger(HttpContext context) => context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("KestrelStream.Admin");

    /// <summary>Where the request came from: the socket's own word, not a header's.</summary>
    public static string Who(HttpContext context)
        => context.Connection.RemoteIpAddress is { } address ? new System.Net.IPEndPoint(address, context.Connection.RemotePort).ToString() : "unix socket";

    public static void Count(HttpContext context, AdminChange change, ChangeOutcome outcome)
        => context.RequestServices.GetRequiredService<StreamProxyMetrics>().ChangeRequested(change, outcome);

    public static void Applied(HttpContext context, AdminChange change, string what, string from, string to)
    {
        Count(context, change, ChangeOutcome.Applied);
        if (change is AdminChange.DestinationSet or AdminChange.DestinationAdd or AdminChange.DestinationRemove)
        {
            // A rollback is noted as the configuration that it is, and sessions are no part of one.
            context.RequestServices.GetRequiredService<ConfigHistory>().Changed(Who(context), what, from, to);
        }

        LogChange(Logger(context), Who(context), change, what, from, to);
    }

    /// <summary>A destination on one line of the log.</summary>
    public static string Describe(DestinationConfig? config)
        => config is null ? "none" : string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"{config.Address} state={config.Control.State} health={config.Control.Health} weight={config.Weight}{(config.Backup ? " backup" : "")}{(config.MaxConnections is { } most ? $" max={most}" : "")}");

    [LoggerMessage(EventIds.OperatorChange, LogLevel.Information, "API: {Who} {Change} {What}: {From} -> {To}")]
    private static partial void LogChange(ILogger logger, string who, AdminChange change, string what, string from, string to);
}
