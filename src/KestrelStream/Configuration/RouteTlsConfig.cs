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

    /// <summary>The server's order of suites wins over the client's. Default true; false only where OpenSSL ends TLS.</summary>
    public bool PreferServerCiphers { get; init; } = true;

    /// <summary>ALPN protocols offered, exactly these, first match in this order. Empty (default) = the extension is not answered.</summary>
    public IReadOnlyList<string> Alpn { get; init; } = [];

    /// <summary>Whether clients show certificates, and whose; null = they are not asked.</summary>
    public ClientCertificatesConfig? ClientCertificates { get; init; }
}
