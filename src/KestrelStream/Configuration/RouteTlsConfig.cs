namespace KestrelStream.Configuration;

/// <summary>What is done with a client's TLS.</summary>
public sealed record RouteTlsConfig
{
    /// <summary>Default <see cref="TlsMode.Passthrough"/>. The other keys are allowed only with <see cref="TlsMode.Terminate"/>.</summary>
    public TlsMode Mode { get; init; } = TlsMode.Passthrough;

    /// <summary>Ids of certificates; the one that names the client's server name exactly, then by wildcard, else the first. At least one with <see cref="TlsMode.Terminate"/>.</summary>
    public IReadOnlyList<string> Certificates { get; init; } = [];

    /// <summary>
    /// What a client gets whose name none of the certificates has, or that sends none; null = <see cref="Configuration.UnknownName.Default"/>, and
    /// <see cref="Configuration.UnknownName.Reject"/> where the first of <see cref="Certificates"/> is a folder.
    /// </summary>
    public UnknownName? UnknownName { get; init; }

    /// <summary>Versions offered. Default TLS 1.2 and 1.3.</summary>
    public IReadOnlyList<TlsVersion> Protocols { get; init; } = [TlsVersion.Tls12, TlsVersion.Tls13];

    /// <summary>Cipher suites of TLS 1.2 as an OpenSSL cipher string, e.g. <c>HIGH:!aNULL:!MD5</c>; null = the operating system's default. TLS 1.3 suites are not affected, as in nginx.</summary>
    public string? Ciphers { get; init; }

    /// <summary>Cipher suites of TLS 1.3 by their names, in order and with colons between; null = AES-128, AES-256, ChaCha20 (decision 13), with SslStream those of OpenSSL.</summary>
    public string? CipherSuites { get; init; }

    /// <summary>
    /// Groups of the key exchange in order, with colons between, as nginx's <c>ssl_ecdh_curve</c>: <c>X25519:P-256</c>. Null or <c>auto</c> = those of OpenSSL. Only
    /// where OpenSSL ends TLS.
    /// </summary>
    public string? Groups { get; init; }

    /// <summary>The server's order of suites wins over the client's. Default true; false only where OpenSSL ends TLS.</summary>
    public bool PreferServerCiphers { get; init; } = true;

    /// <summary>ALPN protocols offered, exactly these, first match in this order. Empty (default) = the extension is not answered; with <see cref="RouteAction.Http"/> <c>h2</c> and <c>http/1.1</c>.</summary>
    public IReadOnlyList<string> Alpn { get; init; } = [];

    /// <summary>Clients may resume their sessions, under the same policy and name. Default true.</summary>
    public bool SessionResumption { get; init; } = true;

    /// <summary>How long after it began a session can be resumed. Default 2 hours, OpenSSL's own. Another one only where OpenSSL ends TLS.</summary>
    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromHours(2);

    /// <summary>
    /// Sessions that the proxy keeps itself for each certificate, for clients without tickets; the oldest goes when there is no room. Default 0 = none. Only where
    /// OpenSSL ends TLS.
    /// </summary>
    public int SessionCacheSize { get; init; }

    /// <summary>How tickets are encrypted; null = by keys that change every hour. Only where OpenSSL ends TLS.</summary>
    public SessionTicketsConfig? SessionTickets { get; init; }

    /// <summary>
    /// Clients that ask get the certificate authority's word that the certificate is not revoked (RFC 6066 §8), fetched in the background. Default false. Only where
    /// OpenSSL ends TLS.
    /// </summary>
    public bool OcspStapling { get; init; }

    /// <summary>Where to ask, in place of what each certificate names: an http URL, as nginx's <c>ssl_stapling_responder</c>. Null (default) = the certificate says.</summary>
    public string? OcspResponder { get; init; }

    /// <summary>Answers in DER, as nginx's <c>ssl_stapling_file</c>, for certificates that nobody is asked about. Watched. Relative to the config file.</summary>
    public IReadOnlyList<string> OcspFiles { get; init; } = [];

    /// <summary>Whether clients show certificates, and whose; null = they are not asked.</summary>
    public ClientCertificatesConfig? ClientCertificates { get; init; }

    /// <summary>Whether sessions are resumed at all: who asks about clients' certificates wants to ask at every session, and a resumed one shows no issuer to ask for.</summary>
    internal bool Resumes => SessionResumption && ClientCertificates is not { AsksOcsp: true };
}
