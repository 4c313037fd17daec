namespace KestrelStream.Configuration;

/// <summary>What an active check says to a destination, and what it takes for good health.</summary>
public enum HealthCheckKind
{
    /// <summary>It accepts a connection.</summary>
    Tcp,

    /// <summary>It completes a TLS handshake, with a certificate that is trusted unless verification is off.</summary>
    Tls,

    /// <summary>It answers an HTTP/1.1 request with an expected status.</summary>
    Http,

    /// <summary>The same over TLS.</summary>
    Https,

    /// <summary>It answers the steps of a small dialogue.</summary>
    SendExpect,

    /// <summary>PostgreSQL: it answers a start-up message with an authentication request.</summary>
    PostgreSql,

    /// <summary>MySQL, MariaDB: it sends its greeting.</summary>
    MySql,

    /// <summary>Redis and its relatives: it answers PING.</summary>
    Redis,

    /// <summary>SMTP: it greets and answers EHLO.</summary>
    Smtp,
}
