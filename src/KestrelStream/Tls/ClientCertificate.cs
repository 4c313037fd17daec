using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Serialization;

namespace KestrelStream.Tls;

/// <summary>Who a client is: its certificate, which was verified. The texts are the client's and its authority's: escape them wherever they are written. Immutable.</summary>
/// <param name="Subject">Distinguished name, last part first, as <c>CN=app, O=Example</c>; null = not readable.</param>
/// <param name="Issuer">Likewise.</param>
/// <param name="SubjectAlternativeNames">As <c>DNS:app.example.com, URI:spiffe://example.com/app</c>; null = none.</param>
/// <param name="Sha256">Digest of the certificate, hexadecimal, lower case.</param>
internal sealed record ClientCertificate(string? Subject, string? Issuer, string? SubjectAlternativeNames, string Sha256)
{
    /// <summary>Enough for any name that means something; OpenSSL takes up to 100 KB of certificates.</summary>
    private const int MaxTextLength = 1024;

    private const string CommonNameOid = "2.5.4.3";

    /// <summary>The common name of the subject, the most specific one of several; null = it has none. The subject says it too.</summary>
    [JsonIgnore]
    public string? CommonName { get; init; }

    /// <summary>The certificate itself.</summary>
    [JsonIgnore]
    public byte[] Der { get; private init; } = [];

    /// <summary>The certificate of who has issued it, as it was verified; empty = it is not known, as in a resumed session.</summary>
    [JsonIgnore]
    public byte[] IssuerDer { get; init; } = [];

    /// <param name="der">The certificate; kept.</param>
    public static ClientCertificate Of(byte[] der)
    {
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(der));
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificate(der);
            var names = certificate.Extensions.FirstOrDefault(extension => extension.Oid?.Value == GeneralNames.SubjectAlternativeNameOid);
            return new ClientCertificate(
                Bounded(certificate.Subject), Bounded(certificate.Issuer), names is null ? null : Bounded(GeneralNames.TextOf(names.RawData)), sha256)
            {
                Der = der,
                CommonName = Bounded(CommonNameOf(certificate.SubjectName)),
            };
        }
        catch (CryptographicException)
        {
            // OpenSSL has verified it, but .NET is stricter about names: the digest still says which one it was.
            return new ClientCertificate(null, null, null, sha256) { Der = der };
        }
    }

    /// <summary>The texts and the digest say all of it.</summary>
    public bool Equals(ClientCertificate? other)
        => other is not null && (Subject, Issuer, SubjectAlternativeNames, Sha256) == (other.Subject, other.Issuer, other.SubjectAlternativeNames, other.Sha256);

    public override int GetHashCode() => Sha256.GetHashCode(StringComparison.Ordinal);

    private static string? CommonNameOf(X500DistinguishedName subject)
        => subject.EnumerateRelativeDistinguishedNames()
            .FirstOrDefault(part => !part.HasMultipleElements && part.GetSingleElementType().Value == CommonNameOid)?.GetSingleElementValue();

    private static string? Bounded(string? text) => text is { Length: > MaxTextLength } ? $"{text[..MaxTextLength]}…" : text;
}
