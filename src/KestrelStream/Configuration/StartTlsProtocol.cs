namespace KestrelStream.Configuration;

/// <summary>Protocols that begin in the clear and go over to TLS when the client asks for it.</summary>
public enum StartTlsProtocol
{
    /// <summary>SSLRequest. Of a route that passes TLS through, the destination is asked in turn.</summary>
    PostgreSql,

    /// <summary>SSLRequest of MySQL and MariaDB; the destination speaks first.</summary>
    MySql,

    /// <summary>STARTTLS of RFC 3207; the server speaks first.</summary>
    Smtp,

    /// <summary>STARTTLS of RFC 9051 §6.2.1; the server speaks first.</summary>
    Imap,

    /// <summary>STLS of RFC 2595 §4; the server speaks first.</summary>
    Pop3,

    /// <summary>The StartTLS operation of RFC 4511 §4.14.</summary>
    Ldap,
}
