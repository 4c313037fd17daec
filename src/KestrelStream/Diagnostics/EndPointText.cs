using System.Net;
using System.Net.Sockets;

namespace KestrelStream.Diagnostics;

/// <summary>Addresses of connections, as log and API show them.</summary>
internal static class EndPointText
{
    /// <summary><c>ip:port</c>, <c>[v6]:port</c> or <c>unix:/path</c> (without a path for a client, which has none); null = not known.</summary>
    public static string? Of(EndPoint? endPoint) => endPoint switch
    {
        null => null,

        // A listener on * sees IPv4 clients as ::ffff:a.b.c.d, which nobody searches a log for.
        IPEndPoint { Address.IsIPv4MappedToIPv6: true } ip => new IPEndPoint(ip.Address.MapToIPv4(), ip.Port).ToString(),
        UnixDomainSocketEndPoint => "unix:" + endPoint,
        _ => endPoint.ToString(),
    };
}
