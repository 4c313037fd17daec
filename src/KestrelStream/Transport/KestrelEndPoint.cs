using KestrelStream.Configuration;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace KestrelStream.Transport;

/// <summary>An address of the configuration as an endpoint of a plain Kestrel server, which speaks HTTP there.</summary>
internal static class KestrelEndPoint
{
    public static void Add(KestrelServerOptions options, ProxyAddress address, HttpProtocols protocols = HttpProtocols.Http1AndHttp2)
    {
        switch (address.Kind)
        {
            case ProxyAddressKind.Unix:
                File.Delete(address.Host);
                options.ListenUnixSocket(address.Host, Configure);
                break;
            case ProxyAddressKind.Any:
                options.ListenAnyIP(address.Port, Configure);
                break;
            case ProxyAddressKind.Localhost:
                options.ListenLocalhost(address.Port, Configure);
                break;
            default:
                options.Listen(address.Ip!, address.Port, Configure);
                break;
        }

        void Configure(ListenOptions endPoint) => endPoint.Protocols = protocols;
    }
}
