using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelStream.TestKit;

/// <summary>An authority in memory: a root, an intermediate below it, and the server certificates it issues. Thread-safe.</summary>
public sealed class TestCertificates
{
    private readonly X509Certificate2 _intermediate;

    public TestCertificates()
    {
        var notBefore = DateTimeOffset.UtcNow.AddYears(-10);
        var notAfter = DateTimeOffset.UtcNow.AddYears(10);

        var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Root = AuthorityRequest("KestrelStream Test Root", rootKey).CreateSelfSigned(notBefore, notAfter);

        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = AuthorityRequest("KestrelStream Test Intermediate", key);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Root, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        _intermediate = request.Create(Root, notBefore.AddDays(1), notAfter.AddDays(-1), Serial()).CopyWithPrivateKey(key);
        Intermediate = X509CertificateLoader.LoadCertificate(_intermediate.RawData);
    }

    /// <summary>One for all tests of the process that do not need their own.</summary>
    public static TestCertificates Shared { get; } = new();

    /// <summary>What a client is to trust.</summary>
    public X509Certificate2 Root { get; }

    /// <summary>Issues the server certificates; without its key.</summary>
    public X509Certificate2 Intermediate { get; }

    /// <summary>PKCS#8 of the intermediate's key, for those who are to sign in its name.</summary>
    public string IntermediateKeyPem
    {
        get
        {
            using var key = _intermediate.GetECDsaPrivateKey()!;
            return key.ExportPkcs8PrivateKeyPem() + "\n";
        }
    }

    /// <summary>A certificate with an ECDSA key, valid now.</summary>
    public TestCertificate Issue(params string[] dnsNames) => Issue(TestKeyType.EcdsaP256, dnsNames);

    /// <param name="keyType">Of the leaf.</param>
    /// <param name="dnsNames">Subject alternative names, addresses too; none = no such extension.</param>
    /// <param name="notBefore">Null = a day ago.</param>
    /// <param name="notAfter">Null = in 30 days.</param>
    /// <param name="commonName">Null = the first DNS name.</param>
    /// <param name="more">Further extensions.</param>
    public TestCertificate Issue(
        TestKeyType keyType, IReadOnlyList<string> dnsNames, DateTimeOffset? notBefore = null, DateTimeOffset? notAfter = null, string? commonName = null,
        params X509Extension[] more)
    {
        var subject = $"CN={commonName ?? (dnsNames.Count > 0 ? dnsNames[0] : "none")}";
        AsymmetricAlgorithm key;
        CertificateRequest request;
        if (keyType == TestKeyType.Rsa2048)
        {
            var rsa = RSA.Create(2048);
            (key, request) = (rsa, new CertificateRequest(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        }
        else
        {
            var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            (key, request) = (ecdsa, new CertificateRequest(subject, ecdsa, HashAlgorithmName.SHA256));
        }

        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Intermediate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        if (dnsNames.Count > 0)
        {
            var names = new SubjectAlternativeNameBuilder();
            foreach (var name in dnsNames)
            {
                if (System.Net.IPAddress.TryParse(name, out var address))
                {
                    names.AddIpAddress(address);
                }
                else
                {
                    names.AddDnsName(name);
                }
            }

            request.CertificateExtensions.Add(names.Build());
        }

        foreach (var extension in more)
        {
            request.CertificateExtensions.Add(extension);
        }

        // The issuer's key decides how the signature is made, so the generator is named: the leaf's key may be of another kind.
        using var issuerKey = _intermediate.GetECDsaPrivateKey()!;
        using var leaf = request.Create(
            Intermediate.SubjectName,
            X509SignatureGenerator.CreateForECDsa(issuerKey),
            notBefore ?? DateTimeOffset.UtcNow.AddDays(-1),
            notAfter ?? DateTimeOffset.UtcNow.AddDays(30),
            Serial());
        var withKey = key is RSA rsaKey ? leaf.CopyWithPrivateKey(rsaKey) : leaf.CopyWithPrivateKey((ECDsa)key);
        return new TestCertificate(withKey, key, [Intermediate]);
    }

    /// <summary>A server certificate that nobody has issued but itself.</summary>
    public static TestCertificate SelfSigned(string dnsName)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={dnsName}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(dnsName);
        request.CertificateExtensions.Add(names.Build());
        return new TestCertificate(request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30)), key, []);
    }

    private static CertificateRequest AuthorityRequest(string name, ECDsa key)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request;
    }

    private static byte[] Serial()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7f) | 0x40); // Positive, and no leading zero.
        return serial;
    }
}
