using KestrelStream.Configuration;

namespace KestrelStream.Tls;

/// <summary>Why a certificate cannot be used.</summary>
/// <param name="Id">Of the certificate.</param>
/// <param name="Key">The key of <see cref="CertificateConfig"/> that is to blame.</param>
/// <param name="Message">Names the file and says what is wrong with it. Never holds the password.</param>
internal sealed record CertificateError(string Id, string Key, string Message);
