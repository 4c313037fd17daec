namespace KestrelStream.Sessions;

/// <summary>Why a session ended: who ended it in which phase. The first cause wins. Names are public surface: log, metric and API show them.</summary>
public enum SessionEndReason
{
    /// <summary>Not ended yet.</summary>
    None,

    /// <summary>Both sides ended their sending and everything was delivered.</summary>
    Completed,

    /// <summary>The client reset the connection while it was relayed.</summary>
    ClientReset,

    /// <summary>The destination reset the connection while it was relayed.</summary>
    UpstreamReset,

    /// <summary>The client went before a route was known, while it was queued, or before it had logged in where the proxy sees that.</summary>
    ClientGone,

    /// <summary>The listener had as many sessions as it may have.</summary>
    ConnectionLimit,

    /// <summary>An access rule refused the client.</summary>
    AccessDenied,

    /// <summary>A limit other than the listener's session count was reached, such as the process-wide preread budget.</summary>
    LimitExceeded,

    /// <summary>The PROXY header did not come in time.</summary>
    ProxyHeaderTimeout,

    /// <summary>The PROXY header was not one.</summary>
    ProxyHeaderMalformed,

    /// <summary>The bytes that routing needs did not come in time.</summary>
    PrereadTimeout,

    /// <summary>The ClientHello is longer than the listener's preread buffer.</summary>
    PrereadTooLarge,

    /// <summary>The first bytes claim to be a ClientHello and are not a well-formed one.</summary>
    PrereadMalformed,

    /// <summary>No route takes the connection.</summary>
    NoRoute,

    /// <summary>The route's action is Reject.</summary>
    Rejected,

    /// <summary>The handshake with the client failed.</summary>
    ClientTlsFailed,

    /// <summary>The handshake with the client did not end in time.</summary>
    ClientTlsTimeout,

    /// <summary>The client broke the rules of its protocol after the route was known.</summary>
    ProtocolViolation,

    /// <summary>No destination of the cluster could be chosen: all are out or full, or there is none.</summary>
    NoDestination,

    /// <summary>The cluster's queue was full.</summary>
    QueueFull,

    /// <summary>No destination became free in time.</summary>
    QueueTimeout,

    /// <summary>Every dial failed; the last one was refused or unreachable.</summary>
    ConnectRefused,

    /// <summary>Every dial failed; the last one did not answer in time, or the dial budget was spent.</summary>
    ConnectTimeout,

    /// <summary>Every dial failed, the last one in the handshake with the destination; or TLS with it broke while it was relayed.</summary>
    UpstreamTlsFailed,

    /// <summary>No byte either way for too long.</summary>
    IdleTimeout,

    /// <summary>One side had ended its sending and the other did not follow in time.</summary>
    HalfCloseTimeout,

    /// <summary>The session was as old as it may become.</summary>
    LifetimeExceeded,

    /// <summary>Its destination was found dead while it was relayed.</summary>
    DestinationDown,

    /// <summary>An operator closed it.</summary>
    ClosedByOperator,

    /// <summary>It was still running when the drain ended.</summary>
    DrainTimeout,

    /// <summary>An ACME server has asked for the proof of a name, and has got it.</summary>
    ChallengeAnswered,

    /// <summary>A defect of the proxy; the log has the exception.</summary>
    InternalError,
}
