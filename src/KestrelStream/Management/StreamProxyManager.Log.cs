using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Management;

internal sealed partial class StreamProxyManager
{
    private static partial class Log
    {
        [LoggerMessage(EventIds.ConfigApplied, LogLevel.Information, "Configuration generation {Generation} is in force: {Listeners} listeners, {Routes} routes, {Clusters} clusters")]
        public static partial void Applied(ILogger logger, long generation, int listeners, int routes, int clusters);

        [LoggerMessage(EventIds.ConfigRejected, LogLevel.Error, "Reload rejected with {Count} errors; generation {Generation} goes on")]
        public static partial void Rejected(ILogger logger, int count, long generation);

        [LoggerMessage(EventIds.ConfigErrorFound, LogLevel.Error, "{Path}: {Message}")]
        public static partial void ConfigError(ILogger logger, string path, string message);

        [LoggerMessage(EventIds.EngineChosen, LogLevel.Information, "Engine {Engine}; descriptor limit {Limit}, room for {Sessions} sessions")]
        public static partial void Engine(ILogger logger, string engine, long limit, long sessions);

        [LoggerMessage(EventIds.DescriptorLimits, LogLevel.Warning, "The descriptor limit {Limit} (ulimit -n, LimitNOFILE) leaves room for {Sessions} sessions only")]
        public static partial void FewDescriptors(ILogger logger, long limit, long sessions);

        [LoggerMessage(EventIds.AccessLogOn, LogLevel.Information, "Access log: {Format} to {Path}")]
        public static partial void AccessLogOn(ILogger logger, AccessLogFormat format, string path);

        [LoggerMessage(EventIds.AdminExposed, LogLevel.Warning, "The admin port at {Address} is open to other machines, and reading needs no password: metrics, configuration and the addresses of clients. Bind it to loopback, or see to a firewall")]
        public static partial void AdminExposed(ILogger logger, string address);

        [LoggerMessage(EventIds.RestartNeeded, LogLevel.Warning, "A change of {Key} takes effect at the next start")]
        public static partial void RestartNeeded(ILogger logger, string key);

        [LoggerMessage(EventIds.ChangeDropped, LogLevel.Warning, "Cluster '{Cluster}': what was changed about destination '{Destination}' over the API no longer holds: {Why}")]
        public static partial void ChangeDropped(ILogger logger, string cluster, string destination, string why);

        [LoggerMessage(EventIds.WeakToken, LogLevel.Warning, "StreamProxy:Admin:Token has fewer than {Characters} characters: it can be guessed")]
        public static partial void WeakToken(ILogger logger, int characters);

        [LoggerMessage(EventIds.DrainStarted, LogLevel.Information, "Draining: {Sessions} sessions may go on for {Timeout}")]
        public static partial void DrainStarted(ILogger logger, int sessions, TimeSpan timeout);

        [LoggerMessage(EventIds.DrainEnded, LogLevel.Information, "Drained; {Aborted} sessions were cut")]
        public static partial void DrainEnded(ILogger logger, int aborted);
    }
}
