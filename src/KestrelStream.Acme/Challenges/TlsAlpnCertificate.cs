using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace KestrelStream.Acme.Challenges;

/// <summary>The certificate that proves a name (RFC 8737 §3): signed by itself, for that name alone, with the digest of the answer in it. Pure.</summary>
internal static class TlsAlpnCertificate
{
    /// <summary>id-pe-acmeIdentifier.</summary>
    public const string AcmeIdentifier = "1.3.6.1.5.5.7.1.31";

    public static X509Certificate2 Create(string name, string authorization, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=ACME challenge", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());

        var digest = new AsnWriter(AsnEncodingRules.DER);
        digest.WriteOctetString(SHA256.HashData(Encoding.ASCII.GetBytes(authorization)));
        request.CertificateExtensions.Add(new X509Extension(AcmeIdentifier, digest.Encode(), critical: true));

        // Clocks differ; nobody looks at the dates.
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(7));
    }
}
