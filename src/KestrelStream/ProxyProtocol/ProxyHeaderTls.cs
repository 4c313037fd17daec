namespace KestrelStream.ProxyProtocol;

/// <summary>The SSL TLV of a PROXY header (§2.2.5): a TLS connection that ended at the sender. Immutable.</summary>
/// <param name="Client">Bits: <see cref="UsesTls"/>, and whether the client showed a certificate over this connection, over the TLS session that it is part of.</param>
/// <param name="Verify">0 = a certificate was shown and is good.</param>
internal sealed record ProxyHeaderTls(byte Client, uint Verify)
{
    public const byte UsesTls = 1;
    public const byte CertificateOfConnection = 2;
    public const byte CertificateOfSession = 4;

    /// <summary>As <c>TLSv1.3</c>.</summary>
    public string? Version { get; init; }

    /// <summary>Name of the suite.</summary>
    public string? Cipher { get; init; }

    /// <summary>Common name of the client's certificate.</summary>
    public string? CommonName { get; init; }

    /// <summary>Algorithm that signed the sender's certificate.</summary>
    public string? SignatureAlgorithm { get; init; }

    /// <summary>Algorithm of the sender's key.</summary>
    public string? KeyAlgorithm { get; init; }

    /// <summary>Group of the key exchange.</summary>
    public string? Group { get; init; }

    /// <summary>Scheme of the handshake's signature.</summary>
    public string? SignatureScheme { get; init; }
}
