using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelStream.Tls.Ocsp;

/// <summary>What a certificate says that matters for OCSP. Pure.</summary>
internal static class OcspSubject
{
    private const string TlsFeature = "1.3.6.1.5.5.7.1.24";

    /// <summary>Of a TLS extension: RFC 7633.</summary>
    private const int StatusRequest = 5;

    /// <summary>Clients refuse it without a stapled answer.</summary>
    public static bool MustStaple(X509Certificate2 leaf)
    {
        if (leaf.Extensions[TlsFeature] is not { } extension)
        {
            return false;
        }

        try
        {
            var features = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
            while (features.HasData)
            {
                if (!features.TryReadInt32(out var feature))
                {
                    // A number that is none of TLS's.
                    features.ReadEncodedValue();
                }
                else if (feature == StatusRequest)
                {
                    return true;
                }
            }
        }
        catch (AsnContentException)
        {
            // Nothing that a client could understand.
        }

        return false;
    }

    /// <summary>The first http URL that it names; null = none.</summary>
    public static Uri? ResponderOf(X509Certificate2 leaf)
    {
        try
        {
            return leaf.Extensions.OfType<X509AuthorityInformationAccessExtension>().SelectMany(access => access.EnumerateOcspUris())
                .Select(text => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttp ? uri : null)
                .FirstOrDefault(uri => uri is not null);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>From the certificate's own file, else from the system's roots; null = it is in neither. Nothing is fetched.</summary>
    public static X509Certificate2? IssuerOf(CertificateEntry certificate)
    {
        using var leaf = certificate.CreatePublicLeaf();
        var name = leaf.IssuerName.RawData;
        if (certificate.Chain.Select(other => X509CertificateLoader.LoadCertificate(other.Der)).FirstOrDefault(other => other.SubjectName.RawData.AsSpan().SequenceEqual(name)) is { } issuer)
        {
            return issuer;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.Build(leaf);
        return chain.ChainElements.Count > 1 ? chain.ChainElements[1].Certificate : null;
    }
}
