namespace KestrelStream.Configuration;

/// <summary>A TLS version that may be offered. Older ones are not: RFC 8996.</summary>
public enum TlsVersion
{
    /// <summary>TLS 1.2, RFC 5246.</summary>
    Tls12,

    /// <summary>TLS 1.3, RFC 8446.</summary>
    Tls13,
}
