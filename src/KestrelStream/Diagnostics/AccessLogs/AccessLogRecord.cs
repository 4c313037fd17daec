using System.Net;
using KestrelStream.Dialing;
using KestrelStream.ProxyProtocol;
using KestrelStream.Sessions;
using KestrelStream.Tls;
using KestrelStream.Transport;

namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>
/// What the access log says of a session. Copied out of it, so that a queue of records does not keep connections and buffers alive; formatted
/// later, on the log's own thread. Immutable.
/// </summary>
internal sealed record AccessLogRecord
{
    public AccessLogEvent Event { get; init; }

    /// <summary>Time of the event.</summary>
    public required DateTimeOffset Ended { get; init; }

    public required long SessionId { get; init; }

    public required string Listener { get; init; }

    public string? Route { get; init; }

    public string? Cluster { get; init; }

    public string? Destination { get; init; }

    public EndPoint? Client { get; init; }

    /// <summary>Whoever has connected, when a PROXY header has announced another client; null = the client itself.</summary>
    public EndPoint? Peer { get; init; }

    /// <summary>What that proxy has said.</summary>
    public ProxyHeader? ProxyHeader { get; init; }

    public string? ServerName { get; init; }

    /// <summary>Name of the protocol in which the client asked for TLS; null = it did not.</summary>
    public string? StartTls { get; init; }

    public TlsFacts? Tls { get; init; }

    /// <summary>Times and what else was asked for; null when the session began before the log did.</summary>
    public SessionTrace? Trace { get; init; }

    /// <summary>The listener's address.</summary>
    public EndPoint? Local { get; init; }

    /// <summary>With the destination; null = there was no TLS.</summary>
    public TlsFacts? UpstreamTls { get; init; }

    public TimeSpan UpstreamTlsTime { get; init; }

    /// <summary>How TLS with the destination broke while it was relayed; null = it did not.</summary>
    public string? UpstreamTlsError { get; init; }

    public long BytesIn { get; init; }

    public long BytesOut { get; init; }

    public TimeSpan Duration { get; init; }

    public TimeSpan DialTime { get; init; }

    /// <summary>Wait for a destination with room; zero = there was none.</summary>
    public TimeSpan QueueTime { get; init; }

    /// <summary>Null when there was none, or only one that worked: then <see cref="Upstream"/> has its address.</summary>
    public IReadOnlyList<DialAttempt>? Attempts { get; init; }

    /// <summary>Address of the destination that was connected to; null = none.</summary>
    public EndPoint? Upstream { get; init; }

    public SessionEndReason EndReason { get; init; }

    public long Generation { get; init; }

    public static AccessLogRecord Of(StreamSession session, TimeSpan duration, AccessLogEvent logEvent = AccessLogEvent.End) => new()
    {
        Event = logEvent,
        Ended = session.Started + duration,
        SessionId = session.Id,
        Listener = session.ListenerModel.Id,
        Route = session.Route?.Id,
        Cluster = session.Route?.Cluster?.Id,
        Destination = session.Destination?.Id,
        Client = session.ClientEndPoint,
        Peer = session.ProxyHeader?.Source is null ? null : session.PeerEndPoint,
        ProxyHeader = session.ProxyHeader,
        ServerName = session.ServerName,
        StartTls = session.StartTls?.Name,
        Tls = session.Tls,
        Trace = logEvent == AccessLogEvent.End ? session.Trace : session.Trace?.Copy(),
        Local = session.Transport.LocalEndPoint,
        UpstreamTls = session.UpstreamTls,
        UpstreamTlsTime = session.UpstreamTlsTime,
        UpstreamTlsError = session.UpstreamTlsError,
        BytesIn = Volatile.Read(ref session.BytesIn),
        BytesOut = Volatile.Read(ref session.BytesOut),
        Duration = duration,
        DialTime = session.DialTime,
        QueueTime = session.QueueTime,
        Attempts = session.Attempts,
        Upstream = session.Destination is null ? null : session.Upstream?.RemoteEndPoint,
        EndReason = session.EndReason,
        Generation = session.ListenerModel.Generation,
    };

    public AccessLogFacts Facts
        => (Tls is null ? 0 : AccessLogFacts.Tls)
            | (ProxyHeader is null ? 0 : AccessLogFacts.ProxyHeader)
            | (UpstreamTls is null ? 0 : AccessLogFacts.UpstreamTls)
            | (Trace?.ClientTcp is null ? 0 : AccessLogFacts.TcpInfo);

    /// <summary>At least one destination was dialled.</summary>
    public bool HasDialled => Attempts is not null || Destination is not null;

    /// <summary>Every dial, in order.</summary>
    public IReadOnlyList<DialAttempt> AllAttempts()
        => Attempts ?? (Destination is null ? [] : [new DialAttempt(Destination, Upstream, ConnectStatus.Connected, DialTime)]);
}
