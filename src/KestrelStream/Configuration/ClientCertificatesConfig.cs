namespace KestrelStream.Configuration;

/// <summary>Certificates of the clients of a route that terminates TLS. Files are read at start and at every reload.</summary>
public sealed record ClientCertificatesConfig
{
    /// <summary>Default <see cref="ClientCertificateMode.None"/>, with which no other key may be set.</summary>
    public ClientCertificateMode Mode { get; init; } = ClientCertificateMode.None;

    /// <summary>PEM file of the authorities that are trusted, among them a root; their names are sent to clients. Relative to the config file. Required unless Mode is None.</summary>
    public string? TrustedCertificates { get; init; }

    /// <summary>Most authorities between a client's certificate and a root. Default 1, as nginx's <c>ssl_verify_depth</c>.</summary>
    public int Depth { get; init; } = 1;

    /// <summary>
    /// PEM file of revocation lists, one for every authority in a chain: without one that is in force nobody gets in. Only where OpenSSL ends TLS.
    /// Null (default) = revocation is not looked at.
    /// </summary>
    public string? Crl { get; init; }

    /// <summary>Whether a responder is asked about each certificate once the handshake is done, before a byte goes on. Default <see cref="ClientOcspMode.Off"/>. Nothing is resumed then.</summary>
    public ClientOcspMode Ocsp { get; init; } = ClientOcspMode.Off;

    /// <summary>Where to ask, in place of what each certificate names: an http URL. Null (default) = the certificate says.</summary>
    public string? OcspResponder { get; init; }

    /// <summary>Longest wait for an answer. Default 3 s.</summary>
    public TimeSpan OcspTimeout { get; init; } = TimeSpan.FromSeconds(3);

    internal bool AsksOcsp => Mode != ClientCertificateMode.None && Ocsp != ClientOcspMode.Off;
}
