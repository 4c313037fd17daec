using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Model;

internal sealed partial class ClusterState
{
    private static partial class Log
    {
        [LoggerMessage(EventIds.DestinationOut, LogLevel.Warning, "Cluster '{Cluster}': destination '{Destination}' ({Address}) is out after failed dials. One session tries it every {FailTimeout}.")]
        public static partial void Out(ILogger logger, string cluster, string destination, ProxyAddress address, TimeSpan failTimeout);

        [LoggerMessage(EventIds.DestinationBack, LogLevel.Information, "Cluster '{Cluster}': destination '{Destination}' ({Address}) is back.")]
        public static partial void Back(ILogger logger, string cluster, string destination, ProxyAddress address);
    }
}
