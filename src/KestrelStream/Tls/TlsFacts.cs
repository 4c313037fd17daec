namespace KestrelStream.Tls;

/// <summary>What a finished handshake negotiated.</summary>
/// <param name="Version">As <c>TLSv1.3</c>.</param>
/// <param name="Cipher">IANA name of the suite.</param>
/// <param name="Alpn">Protocol chosen; null = none.</param>
/// <param name="IsResumed">An earlier session was resumed; null = the TLS library does not tell.</param>
internal sealed record TlsFacts(string Version, string Cipher, string? Alpn, bool? IsResumed)
{
    /// <summary>The client's, verified; of a resumed session the one that was verified when it began. Null = the client has shown none, or was not asked.</summary>
    public ClientCertificate? ClientCertificate { get; init; }
}
