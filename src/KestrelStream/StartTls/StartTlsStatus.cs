namespace KestrelStream.StartTls;

/// <summary>How the talk before TLS ended.</summary>
internal enum StartTlsStatus
{
    /// <summary>The client has been told to begin its handshake.</summary>
    Ready,

    /// <summary>It goes on in the clear; what it has said is in the session's preread bytes.</summary>
    Clear,

    /// <summary>The client has said goodbye, and was answered.</summary>
    Quit,

    /// <summary>The client broke the protocol's rules, or sent bytes that nobody could tell from those of an attacker.</summary>
    Violation,

    /// <summary>The client is gone, or its time is up.</summary>
    Gone,
}
