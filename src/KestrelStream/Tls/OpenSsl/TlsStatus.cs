namespace KestrelStream.Tls.OpenSsl;

/// <summary>How a step of a TLS session ended.</summary>
internal enum TlsStatus
{
    /// <summary>Done: a handshake.</summary>
    Done,

    /// <summary>All input is used up.</summary>
    NeedInput,

    /// <summary>What was written must be taken, or the buffer for what was read emptied; then the step is repeated.</summary>
    NeedRoom,

    /// <summary>The peer has sent close_notify: nothing comes behind it.</summary>
    Closed,

    /// <summary>The session is dead; where there is an alert to say so, it is among what was written.</summary>
    Failed,
}
