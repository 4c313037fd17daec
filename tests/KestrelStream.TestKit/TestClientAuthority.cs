using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelStream.TestKit;

/// <summary>An authority for clients: a root, an intermediate below it, the certificates it issues and the lists of those it has revoked. Thread-safe.</summary>
public sealed class TestClientAuthority
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    private readonly X509Certificate2 _root;
    private readonly X509Certificate2 _intermediate;

    /// <param name="name">Part of the authorities' names.</param>
    public TestClientAuthority(string name)
    {
        var notBefore = DateTimeOffset.UtcNow.AddYears(-10);
        var notAfter = DateTimeOffset.UtcNow.AddYears(10);
        var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _root = Authority($"{name} Root", rootKey).CreateSelfSigned(notBefore, notAfter);
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Authority($"{name} Intermediate", key);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_root, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        using var issued = request.Create(_root, notBefore.AddDays(1), notAfter.AddDays(-1), Serial());
        _intermediate = issued.CopyWithPrivateKey(key);
    }

    public string RootPem => _root.ExportCertificatePem() + "\n";

    public string IntermediateKeyPem
    {
        get
        {
            using var key = _intermediate.GetECDsaPrivateKey()!;
            return key.ExportPkcs8PrivateKeyPem();
        }
    }

    public X509Certificate2 Intermediate => _intermediate;

    public string IntermediatePem => _intermediate.ExportCertificatePem() + "\n";

    /// <param name="subject">Distinguished name.</param>
    /// <param name="notAfter">Null = in 30 days.</param>
    /// <param name="isServer">For servers, not for clients.</param>
    /// <param name="responder">URL of the OCSP responder that it names; null = it names none.</param>
    public TestCertificate Issue(string subject, DateTimeOffset? notAfter = null, bool isServer = false, string? responder = null)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(isServer ? ServerAuthentication : ClientAuthentication)], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_intermediate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("client.example.com");
        names.AddUri(new Uri("spiffe://example.com/client"));
        names.AddEmailAddress("client@example.com");
        names.AddIpAddress(System.Net.IPAddress.Parse("192.0.2.7"));
        request.CertificateExtensions.Add(names.Build());
        if (responder is not null)
        {
            request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension([responder], []));
        }

        using var leaf = request.Create(_intermediate, DateTimeOffset.UtcNow.AddDays(-60), notAfter ?? DateTimeOffset.UtcNow.AddDays(30), Serial());
        return new TestCertificate(leaf.CopyWithPrivateKey(key), key, [_intermediate]);
    }

    /// <summary>The lists of both authorities, in force for 30 days, or until a moment ago.</summary>
    public string Crls(bool haveExpired = false, params TestCertificate[] revoked)
    {
        var list = new CertificateRevocationListBuilder();
        foreach (var certificate in revoked)
        {
            list.AddEntry(certificate.Leaf, DateTimeOffset.UtcNow.AddDays(-10), X509RevocationReason.KeyCompromise);
        }

        return Crl(list, _intermediate, haveExpired) + Crl(new CertificateRevocationListBuilder(), _root, haveExpired);
    }

    private static string Crl(CertificateRevocationListBuilder list, X509Certificate2 issuer, bool hasExpired) => PemEncoding.WriteString(
        "X509 CRL",
        list.Build(
            issuer, 1, hasExpired ? DateTimeOffset.UtcNow.AddMinutes(-1) : DateTimeOffset.UtcNow.AddDays(30), HashAlgorithmName.SHA256, thisUpdate: DateTimeOffset.UtcNow.AddDays(-1))) + "\n";

    private static CertificateRequest Authority(string name, ECDsa key)
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
