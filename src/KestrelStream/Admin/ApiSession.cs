using KestrelStream.Sessions;
using KestrelStream.Tls;

namespace KestrelStream.Admin;

/// <summary>One of <c>/api/sessions</c>.</summary>
/// <param name="Id">As the access log will have it.</param>
/// <param name="Listener">Id.</param>
/// <param name="Route">Id; null = not known yet.</param>
/// <param name="Cluster">Id; null = not known yet, or none.</param>
/// <param name="Destination">Id; null = not connected yet.</param>
/// <param name="Client">Address.</param>
/// <param name="Sni">Server name of the ClientHello; null = none, or not read.</param>
/// <param name="Phase">Where on its path it is.</param>
/// <param name="BytesIn">Payload from the client so far.</param>
/// <param name="BytesOut">Payload to the client so far.</param>
/// <param name="Started">When it was accepted.</param>
/// <param name="Generation">Of the configuration it was accepted under.</param>
/// <param name="ClientCertificate">The client's, verified; null = none.</param>
/// <param name="BytesInPerSecond">Now; null = nobody has looked at it for a while: ask again in a second or two.</param>
/// <param name="BytesOutPerSecond">Likewise.</param>
internal sealed record ApiSession(
    string Id,
    string Listener,
    string? Route,
    string? Cluster,
    string? Destination,
    string? Client,
    string? Sni,
    SessionPhase Phase,
    long BytesIn,
    long BytesOut,
    DateTimeOffset Started,
    long Generation,
    ClientCertificate? ClientCertificate,
    double? BytesInPerSecond,
    double? BytesOutPerSecond);
