namespace KestrelStream.Tls;

/// <summary>Files that are not served.</summary>
/// <param name="Path">Of the certificate.</param>
/// <param name="Reason">Names the file that is to blame.</param>
/// <param name="IsOldServed">What the files held before is served on.</param>
internal sealed record RefusedCertificate(string Path, string Reason, bool IsOldServed);
