using KestrelStream.Configuration;
using KestrelStream.Transport;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace KestrelStream.Server.Hosting;

/// <summary>Binds the admin port and bounds what its clients may take.</summary>
internal static class AdminEndpoint
{
    /// <summary>Enough for a scraper, a few probes and a person.</summary>
    private const int MaxConnections = 100;

    public static void Listen(KestrelServerOptions options, ProxyAddress address)
    {
        options.AddServerHeader = false;
        options.Limits.MaxConcurrentConnections = MaxConnections;
        options.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        options.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(60);
        options.Limits.MaxRequestBodySize = 64 * 1024;
        KestrelEndPoint.Add(options, address);
    }

    /// <summary>Who can open the socket may change things: its owner and, as far as the umask goes, its group. Once it is bound.</summary>
    public static void KeepOthersOut(ProxyAddress address)
    {
        if (address.Kind == ProxyAddressKind.Unix && !OperatingSystem.IsWindows() && File.Exists(address.Host))
        {
            const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
            File.SetUnixFileMode(address.Host, File.GetUnixFileMode(address.Host) & ~Others);
        }
    }
}
