namespace KestrelStream.Tls;

/// <summary>What became of an attempt to load a certificate: either an entry or an error.</summary>
/// <param name="Entry">Null when there is an error.</param>
/// <param name="Error">Null when there is an entry.</param>
/// <param name="Warnings">What does not keep the certificate from being used, as that it has expired.</param>
/// <param name="Files">The state of the files when the attempt began.</param>
internal sealed record CertificateLoadResult(CertificateEntry? Entry, CertificateError? Error, IReadOnlyList<CertificateError> Warnings, CertificateFiles Files);
