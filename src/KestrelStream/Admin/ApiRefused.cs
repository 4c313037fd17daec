using System.Globalization;
using KestrelStream.Diagnostics;
using KestrelStream.Preread;
using KestrelStream.Sessions;

namespace KestrelStream.Admin;

/// <summary>One of <c>/api/refused</c>.</summary>
/// <param name="Id">Of the session, as the access log has it.</param>
/// <param name="Time">When it ended.</param>
/// <param name="Reason">Why.</param>
/// <param name="Detail">Which rule its ClientHello broke; null = none.</param>
/// <param name="Listener">Id.</param>
/// <param name="Route">Id; null = it came to none.</param>
/// <param name="Cluster">Id; null likewise.</param>
/// <param name="Client">Address of the client.</param>
/// <param name="Peer">Address that connected.</param>
/// <param name="Sni">Server name of the ClientHello; null = none, or it was none.</param>
/// <param name="DurationMs">From its accept.</param>
/// <param name="BytesReceived">How many bytes were looked at before it was refused; null = none.</param>
/// <param name="FirstBytes">The first of them in hex, as many as <c>Admin:RefusedBytes</c>; null = none are kept.</param>
internal sealed record ApiRefused(
    string Id,
    DateTimeOffset Time,
    SessionEndReason Reason,
    string? Detail,
    string Listener,
    string? Route,
    string? Cluster,
    string? Client,
    string? Peer,
    string? Sni,
    double DurationMs,
    int? BytesReceived,
    string? FirstBytes)
{
    public static ApiRefused Of(RefusedSession session) => new(
        session.Id.ToString("x", CultureInfo.InvariantCulture),
        session.Time,
        session.Reason,
        session.Bytes is { Error: not ClientHelloError.None and var error } ? error.ToString() : null,
        session.Listener,
        session.Route,
        session.Cluster,
        EndPointText.Of(session.Client),
        EndPointText.Of(session.Peer),
        session.ServerName,
        Math.Round(session.Duration.TotalMilliseconds, 3),
        session.Bytes?.Received,
        session.Bytes is { First.Length: > 0 and var _ } bytes ? Convert.ToHexStringLower(bytes.First) : null);
}
