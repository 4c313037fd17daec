namespace KestrelStream.Configuration;

/// <summary>What a V2 header tells besides addresses. A field that has nothing to say is left out.</summary>
public enum ProxyProtocolTlv
{
    /// <summary>The protocol that was negotiated where TLS ended, here or at the sender before.</summary>
    Alpn,

    /// <summary>The server name that the client asked for.</summary>
    Authority,

    /// <summary>The id that was received, or one of our own that ends with the session's <c>id</c> in the access log.</summary>
    UniqueId,

    /// <summary>Version and cipher of the TLS connection that ended here or at the sender before.</summary>
    Ssl,

    /// <summary>A checksum of the header.</summary>
    Crc32c,
}
