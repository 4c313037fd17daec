using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KestrelStream.Health.Checks;

namespace KestrelStream.Tls.Upstream;

/// <summary>Says what is wrong with a destination's certificate: the reason, and what was shown, so that the log alone is enough to mend it. Pure.</summary>
internal static class UpstreamProblem
{
    /// <param name="why">The reason, in words of ours or of the TLS library.</param>
    /// <param name="der">What was shown; empty = it is not known.</param>
    public static string Of(string why, ReadOnlySpan<byte> der)
    {
        if (der.IsEmpty)
        {
            return why;
        }

        try
        {
            using var certificate = X509CertificateLoader.LoadCertificate(der);
            var names = certificate.Extensions.FirstOrDefault(extension => extension.Oid?.Value == GeneralNames.SubjectAlternativeNameOid);
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{why} (shown: {Show(certificate.Subject)} for {Show(names is null ? "no name" : GeneralNames.TextOf(names.RawData) ?? "?")}, issued by {Show(certificate.Issuer)}, valid {certificate.NotBefore.ToUniversalTime():yyyy-MM-dd} to {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd})");
        }
        catch (CryptographicException)
        {
            // .NET is stricter about names than OpenSSL.
            return why;
        }
    }

    /// <summary>The texts are the destination's own.</summary>
    private static string Show(string text) => EscapedText.Show(Encoding.UTF8.GetBytes(text));
}
