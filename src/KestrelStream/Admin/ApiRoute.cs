using KestrelStream.Configuration;

namespace KestrelStream.Admin;

/// <summary>One of <c>/api/routes</c>.</summary>
/// <param name="Id">Its key in the configuration.</param>
/// <param name="Listeners">Ids of the listeners whose sessions it takes.</param>
/// <param name="Match">Its conditions.</param>
/// <param name="StartTls">The protocol in which its clients ask for TLS; null = none.</param>
/// <param name="Action">What it does with a session.</param>
/// <param name="TlsMode">What it does with the client's TLS.</param>
/// <param name="Certificates">Ids; empty when TLS is passed through.</param>
/// <param name="Cluster">Id; null when the action needs none.</param>
/// <param name="Order">Decides among routes that are otherwise equal.</param>
/// <param name="ActiveSessions">Running now.</param>
/// <param name="TotalSessions">Since start, running ones included.</param>
/// <param name="BytesIn">Payload from clients since start.</param>
/// <param name="BytesOut">Payload to clients since start.</param>
internal sealed record ApiRoute(
    string Id,
    IReadOnlyList<string> Listeners,
    RouteMatch Match,
    StartTlsProtocol? StartTls,
    RouteAction Action,
    TlsMode TlsMode,
    IReadOnlyList<string> Certificates,
    string? Cluster,
    int Order,
    int ActiveSessions,
    long TotalSessions,
    long BytesIn,
    long BytesOut);
