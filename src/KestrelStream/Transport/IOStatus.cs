namespace KestrelStream.Transport;

/// <summary>How a receive, send, connect or shutdown ended. Expected ends are values here, not exceptions.</summary>
internal enum IOStatus : byte
{
    Ok,

    /// <summary>The peer reset the connection, or it broke on the way (RST, EPIPE, keepalive or host unreachable).</summary>
    Reset,

    /// <summary>This side gave the connection up while the operation was under way.</summary>
    Aborted,

    /// <summary>TLS only: the peer's bytes end without close_notify, or are not TLS.</summary>
    Truncated,
}
