namespace KestrelStream.Configuration;

/// <summary>
/// A certificate with its key, in Kestrel's shape: a PEM pair, an encrypted PEM, or a PFX; or a folder full of them. Files are watched, through symbolic links too.
/// Or one that is got by ACME.
/// </summary>
public sealed record CertificateConfig
{
    /// <summary>PEM file with the certificate first and its chain after it, or a PFX. Relative to the config file. Required without <see cref="Directory"/> and <see cref="Acme"/>.</summary>
    public string Path { get; init; } = "";

    /// <summary>PEM file with the private key; null = the key is in <see cref="Path"/> (a PFX, or a PEM that holds both).</summary>
    public string? KeyPath { get; init; }

    /// <summary>
    /// Folder with any number of certificates, each shown for the names in it: pairs <c>x.crt</c> or <c>x.pem</c> with <c>x.key</c>, PEM files that hold both, PFX, and
    /// folders as certbot's <c>live</c>. Relative to the config file. Null = there is a <see cref="Path"/>.
    /// </summary>
    public string? Directory { get; init; }

    /// <summary>Password of the encrypted keys or of the PFX; null = none.</summary>
    public string? Password { get; init; }

    /// <summary>Where the certificate is got from, in place of files; null = from the files.</summary>
    public AcmeConfig? Acme { get; init; }
}
