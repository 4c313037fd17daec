using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KestrelStream.Acme.Protocol;
using KestrelStream.Tls;

namespace KestrelStream.Acme.Issuing;

/// <summary>What an authority has issued, checked: the certificate that was asked for, and its chain.</summary>
/// <param name="Leaf">The certificate.</param>
/// <param name="Pem">All of it, the certificate first; written anew, so that nothing else comes into the file.</param>
internal sealed record CertificateChain(X509Certificate2 Leaf, string Pem)
{
    private const int MaxCertificates = 10;

    private const string SubjectAlternativeName = "2.5.29.17";

    public static AcmeResult<CertificateChain> Read(byte[] body, CertificateKey key, IReadOnlyList<string> names, DateTimeOffset now)
    {
        if (!PemBlock.TryReadAll(Encoding.Latin1.GetString(body), out var blocks) || blocks.Count is 0 or > MaxCertificates || !blocks.TrueForAll(block => block.IsCertificate))
        {
            return new AcmeFailure("the authority's certificate is not the PEM chain that it should be");
        }

        try
        {
            var chain = blocks.ConvertAll(block => X509CertificateLoader.LoadCertificate(block.Decode()));
            return !key.Matches(chain[0]) ? new AcmeFailure("the authority's certificate is for another key")
                : !Covers(chain[0], names) ? new AcmeFailure("the authority's certificate is not for all of the names")
                : chain[0].NotAfter.ToUniversalTime() <= now ? new AcmeFailure("the authority's certificate has expired already")
                : new CertificateChain(chain[0], string.Join('\n', chain.Select(certificate => certificate.ExportCertificatePem())));
        }
        catch (Exception e) when (e is CryptographicException or FormatException)
        {
            return new AcmeFailure("the authority's certificate is damaged");
        }
    }

    /// <summary>Whether a certificate is for all of the names.</summary>
    public static bool Covers(X509Certificate2 certificate, IReadOnlyList<string> names)
    {
        if (certificate.Extensions.FirstOrDefault(extension => extension.Oid?.Value == SubjectAlternativeName) is not X509SubjectAlternativeNameExtension extension)
        {
            return false;
        }

        try
        {
            return !names.Except(extension.EnumerateDnsNames(), StringComparer.OrdinalIgnoreCase).Any();
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}
