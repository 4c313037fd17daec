namespace KestrelStream.Tls;

/// <summary>The state of the files a certificate comes from, at one moment.</summary>
/// <param name="Certificate">Of <see cref="CertificatePaths.Path"/>.</param>
/// <param name="Key">Of <see cref="CertificatePaths.KeyPath"/>; null = there is none.</param>
internal readonly record struct CertificateFiles(FileFingerprint Certificate, FileFingerprint? Key)
{
    public static CertificateFiles Read(CertificatePaths paths) =>
        new(FileFingerprint.Read(paths.Path), paths.KeyPath is null ? null : FileFingerprint.Read(paths.KeyPath));

    /// <summary>The file that has the key, at the end of every link.</summary>
    public string KeyTarget => Key?.Target ?? Certificate.Target;
}
