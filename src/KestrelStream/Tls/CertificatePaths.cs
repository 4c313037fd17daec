using KestrelStream.Configuration;

namespace KestrelStream.Tls;

/// <summary>Where a certificate and its key are, absolute.</summary>
/// <param name="Path">PEM or PFX.</param>
/// <param name="KeyPath">PEM; null = the key is in <paramref name="Path"/>.</param>
internal readonly record struct CertificatePaths(string Path, string? KeyPath)
{
    /// <param name="id">Of the certificate.</param>
    /// <param name="config">With a path or ACME, not a folder.</param>
    /// <param name="basePath">What relative paths are relative to.</param>
    public static CertificatePaths Of(string id, CertificateConfig config, string basePath)
        => config.Acme is { } acme ? new(AcmeFiles.PathOf(id, System.IO.Path.GetFullPath(acme.Storage, basePath)), null)
            : new(System.IO.Path.GetFullPath(config.Path, basePath), config.KeyPath is null ? null : System.IO.Path.GetFullPath(config.KeyPath, basePath));

    /// <summary>The file that has the key.</summary>
    public string KeyFile => KeyPath ?? Path;
}
