using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Configuration;

namespace KestrelStream.Acme.Issuing;

/// <summary>The key of a certificate: made for each one anew, kept until the certificate is there, asked for in a signing request. Owned by one order.</summary>
internal sealed class CertificateKey : IDisposable
{
    private readonly AsymmetricAlgorithm _key;

    private CertificateKey(AsymmetricAlgorithm key) => _key = key;

    public static CertificateKey Create(AcmeKeyType kind) => new(kind switch
    {
        AcmeKeyType.EcdsaP256 => ECDsa.Create(ECCurve.NamedCurves.nistP256),
        AcmeKeyType.EcdsaP384 => ECDsa.Create(ECCurve.NamedCurves.nistP384),
        _ => RSA.Create(BitsOf(kind)),
    });

    /// <summary>Null = it is no such key.</summary>
    public static CertificateKey? FromPem(string pem, AcmeKeyType kind)
    {
        AsymmetricAlgorithm key = IsEcdsa(kind) ? ECDsa.Create() : RSA.Create();
        try
        {
            key.ImportFromPem(pem);
            return new CertificateKey(key);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            return null;
        }
    }

    /// <summary>The key in a PEM text, if it is that of a certificate; null = it is not, or there is none.</summary>
    public static CertificateKey? Of(X509Certificate2 certificate, string pem)
    {
        using var ecdsa = certificate.GetECDsaPublicKey();
        var key = FromPem(pem, ecdsa is null ? AcmeKeyType.Rsa2048 : AcmeKeyType.EcdsaP256);
        if (key is null || key.Matches(certificate))
        {
            return key;
        }

        key.Dispose();
        return null;
    }

    public static bool IsOfKind(X509Certificate2 certificate, AcmeKeyType kind)
    {
        using var ecdsa = certificate.GetECDsaPublicKey();
        using var rsa = certificate.GetRSAPublicKey();
        return (IsEcdsa(kind) ? ecdsa?.KeySize : rsa?.KeySize) == BitsOf(kind);
    }

    public string ToPem() => _key.ExportPkcs8PrivateKeyPem();

    /// <summary>Whether a certificate is for this key.</summary>
    public bool Matches(X509Certificate2 certificate)
        => certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(_key.ExportSubjectPublicKeyInfo());

    /// <summary>PKCS#10 as DER: the names as subject alternative names, and no subject, which authorities ignore.</summary>
    public byte[] CreateSigningRequest(IReadOnlyList<string> names)
    {
        var subject = new X500DistinguishedName("");
        var request = _key is ECDsa ecdsa
            ? new CertificateRequest(subject, ecdsa, ecdsa.KeySize == 384 ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256)
            : new CertificateRequest(subject, (RSA)_key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var alternative = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            alternative.AddDnsName(name);
        }

        request.CertificateExtensions.Add(alternative.Build());
        return request.CreateSigningRequest();
    }

    public void Dispose() => _key.Dispose();

    private static bool IsEcdsa(AcmeKeyType kind) => kind is AcmeKeyType.EcdsaP256 or AcmeKeyType.EcdsaP384;

    private static int BitsOf(AcmeKeyType kind) => kind switch
    {
        AcmeKeyType.EcdsaP256 => 256,
        AcmeKeyType.EcdsaP384 => 384,
        AcmeKeyType.Rsa2048 => 2048,
        AcmeKeyType.Rsa3072 => 3072,
        _ => 4096,
    };
}
