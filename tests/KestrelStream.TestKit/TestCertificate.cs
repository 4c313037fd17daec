using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelStream.TestKit;

/// <summary>A server certificate with its key and its chain, in every form it may be configured. Immutable; thread-safe.</summary>
public sealed class TestCertificate
{
    private readonly AsymmetricAlgorithm _key;

    internal TestCertificate(X509Certificate2 leaf, AsymmetricAlgorithm key, IReadOnlyList<X509Certificate2> intermediates)
    {
        Leaf = leaf;
        _key = key;
        Intermediates = intermediates;
    }

    /// <summary>With its private key.</summary>
    public X509Certificate2 Leaf { get; }

    /// <summary>From the leaf's issuer upwards, without the root.</summary>
    public IReadOnlyList<X509Certificate2> Intermediates { get; }

    /// <summary>The certificate alone.</summary>
    public string LeafPem => Leaf.ExportCertificatePem() + "\n";

    /// <summary>The certificate with its chain after it, as certbot's fullchain.pem.</summary>
    public string ChainPem => LeafPem + string.Concat(Intermediates.Select(certificate => certificate.ExportCertificatePem() + "\n"));

    /// <summary>PKCS#8: <c>BEGIN PRIVATE KEY</c>.</summary>
    public string KeyPem => _key.ExportPkcs8PrivateKeyPem() + "\n";

    /// <summary>PKCS#1 or SEC 1: <c>BEGIN RSA PRIVATE KEY</c>, <c>BEGIN EC PRIVATE KEY</c>.</summary>
    public string TraditionalKeyPem => (_key is RSA rsa ? rsa.ExportRSAPrivateKeyPem() : ((ECDsa)_key).ExportECPrivateKeyPem()) + "\n";

    /// <summary><c>BEGIN ENCRYPTED PRIVATE KEY</c>.</summary>
    public string EncryptedKeyPem(string password) =>
        _key.ExportEncryptedPkcs8PrivateKeyPem(password, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 2048)) + "\n";

    /// <summary>PKCS#12 with the chain; null = no password.</summary>
    public byte[] Pfx(string? password) => new X509Certificate2Collection((X509Certificate2[])[Leaf, .. Intermediates]).Export(X509ContentType.Pkcs12, password)!;

    /// <summary>Writes <c>fullchain.pem</c> and <c>privkey.pem</c>, the names certbot uses, or others; their absolute paths.</summary>
    public (string Path, string KeyPath) WritePem(TempFolder folder, string name = "fullchain.pem", string keyName = "privkey.pem") =>
        (folder.Write(name, ChainPem), folder.Write(keyName, KeyPem));
}
