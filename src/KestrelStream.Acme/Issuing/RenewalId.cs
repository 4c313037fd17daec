using System.Buffers.Text;
using System.Security.Cryptography.X509Certificates;

namespace KestrelStream.Acme.Issuing;

/// <summary>What a certificate is called where renewals are suggested (RFC 9773 §4.1). Pure.</summary>
internal static class RenewalId
{
    /// <summary>Null = the certificate does not name the key of its issuer.</summary>
    public static string? Of(X509Certificate2 certificate)
        => certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().FirstOrDefault()?.KeyIdentifier is { } issuer
            ? $"{Base64Url.EncodeToString(issuer.Span)}.{Base64Url.EncodeToString(certificate.SerialNumberBytes.Span)}"
            : null;
}
