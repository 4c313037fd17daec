using KestrelStream.Configuration;

namespace KestrelStream.Tls;

/// <summary>The state of the files a certificate comes from, at one moment.</summary>
/// <param name="Certificate">Of <see cref="CertificateConfig.Path"/>.</param>
/// <param name="Key">Of <see cref="CertificateConfig.KeyPath"/>; null = there is none.</param>
internal readonly record struct CertificateFiles(FileFingerprint Certificate, FileFingerprint? Key)
{
    /// <param name="path">Absolute.</param>
    /// <param name="keyPath">Absolute; null = the key is in <paramref name="path"/>.</param>
    public static CertificateFiles Read(string path, string? keyPath) =>
        new(FileFingerprint.Read(path), keyPath is null ? null : FileFingerprint.Read(keyPath));
}
