namespace KestrelStream.Configuration;

/// <summary>
/// A certificate with its key, in Kestrel's shape: a PEM pair, an encrypted PEM, or a PFX. Files are watched, through symbolic links too. Or one that
/// is got by ACME.
/// </summary>
public sealed record CertificateConfig
{
    /// <summary>PEM file with the certificate first and its chain after it, or a PFX. Relative to the config file. Required without <see cref="Acme"/>.</summary>
    public string Path { get; init; } = "";

    /// <summary>PEM file with the private key; null = the key is in <see cref="Path"/> (a PFX, or a PEM that holds both).</summary>
    public string? KeyPath { get; init; }

    /// <summary>Password of the encrypted key or of the PFX; null = none.</summary>
    public string? Password { get; init; }

    /// <summary>Where the certificate is got from, in place of files; null = from the files.</summary>
    public AcmeConfig? Acme { get; init; }
}
