namespace KestrelStream.Model;

/// <summary>When a loaded certificate ends.</summary>
/// <param name="Id">Its key in the configuration.</param>
/// <param name="NotAfter">Of the leaf that is served now, which a renewed file may have replaced since start.</param>
internal readonly record struct CertificateExpiry(string Id, DateTimeOffset NotAfter);
