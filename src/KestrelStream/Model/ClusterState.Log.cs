using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Model;

internal sealed partial class ClusterState
{
    private static partial class Log
    {
        [LoggerMessage(EventIds.DestinationOut, LogLevel.Warning, "Cluster '{Cluster}': destination '{Destination}' ({Address}) is out after failures. One session tries it in {Penalty}.")]
        public static partial void Out(ILogger logger, string cluster, string destination, ProxyAddress address, TimeSpan penalty);

        [LoggerMessage(EventIds.DestinationBack, LogLevel.Information, "Cluster '{Cluster}': destination '{Destination}' ({Address}) is back.")]
        public static partial void Back(ILogger logger, string cluster, string destination, ProxyAddress address);

        [LoggerMessage(EventIds.DestinationDrained, LogLevel.Information, "Cluster '{Cluster}': destination '{Destination}' ({Address}) is drained: no session runs on it any more, and none comes ({State}).")]
        public static partial void Drained(ILogger logger, string cluster, string destination, ProxyAddress address, OperatorState state);
    }
}
