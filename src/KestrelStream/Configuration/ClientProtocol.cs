namespace KestrelStream.Configuration;

/// <summary>What a client is found to speak by its first bytes.</summary>
public enum ClientProtocol
{
    /// <summary>A well-formed TLS ClientHello.</summary>
    Tls,

    /// <summary>A whole request line of HTTP/1.0 or HTTP/1.1.</summary>
    Http1,

    /// <summary>The preface of HTTP/2 without TLS ("prior knowledge").</summary>
    Http2,

    /// <summary>The identification of an SSH client. One that waits for the server's needs <see cref="ServerFirst"/> besides.</summary>
    Ssh,

    /// <summary>The first message of a PostgreSQL client that starts in the clear: startup, a request for encryption, or a cancel request.</summary>
    PostgreSql,

    /// <summary>An X.224 connection request, as Remote Desktop clients send it.</summary>
    Rdp,

    /// <summary>A request of SOCKS 4, 4a or 5.</summary>
    Socks,

    /// <summary>Nothing was said within <see cref="ListenerConfig.ServerFirstAfter"/>: the server is to speak first, as those of MySQL, SMTP and FTP do.</summary>
    ServerFirst,
}
