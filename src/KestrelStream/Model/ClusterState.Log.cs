using KestrelStream.Configuration;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Model;

internal sealed partial class ClusterState
{
    private static partial class Log
    {
        [LoggerMessage(300, LogLevel.Warning, "Cluster '{Cluster}': destination '{Destination}' ({Address}) is out after failed dials. One session tries it every {FailTimeout}.", EventName = "DestinationOut")]
        public static partial void Out(ILogger logger, string cluster, string destination, ProxyAddress address, TimeSpan failTimeout);

        [LoggerMessage(301, LogLevel.Information, "Cluster '{Cluster}': destination '{Destination}' ({Address}) is back.", EventName = "DestinationBack")]
        public static partial void Back(ILogger logger, string cluster, string destination, ProxyAddress address);
    }
}
