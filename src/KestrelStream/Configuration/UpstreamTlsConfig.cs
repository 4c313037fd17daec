namespace KestrelStream.Configuration;

/// <summary>TLS with the destinations of a cluster. On when the section has any key. Files are read at start and at every reload.</summary>
public sealed record UpstreamTlsConfig
{
    /// <summary>As <see cref="ServerName"/>: the name that the client has asked for.</summary>
    public const string ClientServerName = "{sni}";

    private static readonly IReadOnlyList<TlsVersion> s_all = [TlsVersion.Tls12, TlsVersion.Tls13];

    /// <summary>False = plain bytes, whatever the other keys say. Default true.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>
    /// The name to ask for and to verify, or an address to verify; <c>{sni}</c> = the client's name, where it has one. Null (default) = the host of the
    /// destination: <see cref="DestinationConfig.Host"/>, else that of its address. An address is verified and not asked for.
    /// </summary>
    public string? ServerName { get; init; }

    /// <summary>Whether a certificate that is not trusted, or of another name, ends the dial. Default true. Never turned off by anything else.</summary>
    public bool Verify { get; init; } = true;

    /// <summary>PEM file of the authorities to trust, among them a root; null (default) = those of the operating system. Relative to the config file.</summary>
    public string? TrustedCertificates { get; init; }

    /// <summary>Id of the certificate that is shown to destinations that ask for one; null (default) = none.</summary>
    public string? Certificate { get; init; }

    /// <summary>ALPN protocols offered, in this order. Empty (default) = no such extension. A destination that chooses none is taken.</summary>
    public IReadOnlyList<string> Alpn { get; init; } = [];

    /// <summary>Versions offered. Empty (default) = TLS 1.2 and 1.3.</summary>
    public IReadOnlyList<TlsVersion> Protocols { get; init; } = [];

    /// <summary>Cipher suites of TLS 1.2 as an OpenSSL cipher string; null = the operating system's default.</summary>
    public string? Ciphers { get; init; }

    /// <summary>Cipher suites of TLS 1.3 by their names, in order and with colons between; null = those of OpenSSL.</summary>
    public string? CipherSuites { get; init; }

    /// <summary>
    /// Groups of the key exchange in order, with colons between: <c>X25519:P-256</c>. Null or <c>auto</c> = those of OpenSSL. Only where OpenSSL speaks TLS.
    /// </summary>
    public string? Groups { get; init; }

    /// <summary>Whether sessions of the same destination, name and policy are gone on with. Default true.</summary>
    public bool SessionResumption { get; init; } = true;

    /// <summary>Longest handshake. Default 10 s; never longer than what is left of the cluster's DialBudget. Beyond it the next destination is tried.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    internal IReadOnlyList<TlsVersion> EffectiveProtocols => Protocols.Count == 0 ? s_all : Protocols;

    internal bool IsSameAs(UpstreamTlsConfig other)
        => this with { Alpn = other.Alpn, Protocols = other.Protocols } == other
            && Alpn.SequenceEqual(other.Alpn)
            && EffectiveProtocols.Order().SequenceEqual(other.EffectiveProtocols.Order());
}
