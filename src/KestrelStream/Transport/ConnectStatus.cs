namespace KestrelStream.Transport;

/// <summary>How one dial ended. Names are public surface: metric label and access log show them in snake case.</summary>
internal enum ConnectStatus : byte
{
    Connected,
    Refused,
    Unreachable,
    TimedOut,

    /// <summary>The unix socket is not there, or the local address cannot be used.</summary>
    AddressNotAvailable,

    /// <summary>The name has no address (yet).</summary>
    NotResolved,

    /// <summary>The handshake with the destination failed.</summary>
    TlsFailed,

    /// <summary>The handshake with the destination did not end in time.</summary>
    TlsTimedOut,

    /// <summary>The destination's certificate is not trusted, has expired, or is for another name.</summary>
    TlsCertificate,

    /// <summary>This process or machine is out of file descriptors, ports or memory. Not the destination's fault.</summary>
    OutOfResources,

    /// <summary>This side gave the dial up because the session ended.</summary>
    Aborted,

    Failed,

    /// <summary>The name that the client has asked for, or the address that it has, is not among those that are allowed.</summary>
    NotAllowed,
}
