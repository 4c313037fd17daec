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

        [LoggerMessage(EventIds.MemberAdded, LogLevel.Information, "Cluster '{Cluster}': destination '{Destination}' has a new member {Address} by {Name}.")]
        public static partial void MemberAdded(ILogger logger, string cluster, string destination, ProxyAddress address, ProxyAddress name);

        [LoggerMessage(EventIds.MemberRemoved, LogLevel.Information, "Cluster '{Cluster}': destination '{Destination}' no longer has the member {Address} by {Name}. Sessions that still run on it: {Sessions}.")]
        public static partial void MemberRemoved(ILogger logger, string cluster, string destination, ProxyAddress address, ProxyAddress name, int sessions);

        [LoggerMessage(EventIds.DestinationDrained, LogLevel.Information, "Cluster '{Cluster}': destination '{Destination}' ({Address}) is drained: no session runs on it any more, and none comes ({State}).")]
        public static partial void Drained(ILogger logger, string cluster, string destination, ProxyAddress address, OperatorState state);
    }
}
