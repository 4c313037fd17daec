using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KestrelStream.Acme.Challenges;
using KestrelStream.Acme.Issuing;
using KestrelStream.Configuration;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.Tests.Acme;

/// <summary>Signing requests, challenge certificates, downloaded chains, names of renewals.</summary>
public class AcmeCertificateTests
{
    private static readonly string[] Names = ["www.example.com", "example.com"];

    [Theory]
    [InlineData(AcmeKeyType.EcdsaP256)]
    [InlineData(AcmeKeyType.EcdsaP384)]
    [InlineData(AcmeKeyType.Rsa2048)]
    public void CreateSigningRequest_EveryKind_IsSignedAndHasTheNames(AcmeKeyType kind)
    {
        using var key = CertificateKey.Create(kind);

        // Loading it verifies the signature.
        var request = CertificateRequest.LoadSigningRequest(key.CreateSigningRequest(Names), HashAlgorithmName.SHA256, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions);

        Assert.Equal("", request.SubjectName.Name);
        Assert.Equal(Names, new X509SubjectAlternativeNameExtension(request.CertificateExtensions.Single().RawData).EnumerateDnsNames());
        using var again = CertificateKey.FromPem(key.ToPem(), kind);
        Assert.Equal(key.ToPem(), again!.ToPem());
    }

    [Fact]
    public void TlsAlpn_Certificate_HasNameAndCriticalDigest()
    {
        using var certificate = TlsAlpnCertificate.Create("www.example.com", "token.thumbprint", DateTimeOffset.UtcNow);

        Assert.Equal(["www.example.com"], certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single().EnumerateDnsNames());
        var identifier = certificate.Extensions.Single(extension => extension.Oid!.Value == "1.3.6.1.5.5.7.1.31");
        Assert.True(identifier.Critical);
        Assert.Equal(SHA256.HashData(Encoding.ASCII.GetBytes("token.thumbprint")), AsnDecoder.ReadOctetString(identifier.RawData, AsnEncodingRules.DER, out _));
        Assert.True(certificate.HasPrivateKey);
    }

    /// <summary>The example of RFC 9773 §4.1: a serial number with a zero in front, which belongs to it.</summary>
    [Fact]
    public void RenewalId_ExampleOfTheRfc_IsTheSame()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=example", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(Convert.FromHexString("69885B6B87464041E1B37B847BA0AE2CDE01C8D4")));
        using var certificate = request.Create(
            new X500DistinguishedName("CN=issuer"), X509SignatureGenerator.CreateForECDsa(key), DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1), [0x00, 0x87, 0x65, 0x43, 0x21]);

        Assert.Equal("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE", RenewalId.Of(certificate));
        using var without = new CertificateRequest("CN=example", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
        Assert.Null(RenewalId.Of(without));
    }

    [Fact]
    public void Chain_OfOurKeyAndNames_IsRead()
    {
        var issued = TestCertificates.Shared.Issue(Names);
        using var key = CertificateKey.FromPem(issued.KeyPem, AcmeKeyType.EcdsaP256)!;

        var chain = CertificateChain.Read(Encoding.ASCII.GetBytes(issued.ChainPem), key, Names, DateTimeOffset.UtcNow).Value;

        Assert.Equal(issued.Leaf.RawData, chain!.Leaf.RawData);
        Assert.Equal(2, chain.Pem.Split("BEGIN CERTIFICATE").Length - 1);
    }

    [Fact]
    public void Chain_AnythingElse_IsAFailure()
    {
        var issued = TestCertificates.Shared.Issue(Names);
        using var key = CertificateKey.FromPem(issued.KeyPem, AcmeKeyType.EcdsaP256)!;
        using var otherKey = CertificateKey.Create(AcmeKeyType.EcdsaP256);
        var now = DateTimeOffset.UtcNow;

        Assert.Contains("another key", Why(issued.ChainPem, otherKey), StringComparison.Ordinal);
        Assert.Contains("all of the names", Why(issued.ChainPem, key, "third.example.com"), StringComparison.Ordinal);
        Assert.Contains("expired", CertificateChain.Read(Encoding.ASCII.GetBytes(issued.ChainPem), key, Names, now.AddYears(1)).Failure!.Message, StringComparison.Ordinal);
        Assert.Contains("PEM", Why("", key), StringComparison.Ordinal);
        Assert.Contains("PEM", Why(issued.ChainPem + issued.KeyPem, key), StringComparison.Ordinal);
        Assert.Contains("PEM", Why(string.Concat(Enumerable.Repeat(issued.LeafPem, 11)), key), StringComparison.Ordinal);
        Assert.Contains("damaged", Why("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", key), StringComparison.Ordinal);
    }

    private static string Why(string pem, CertificateKey key, params string[] more)
        => CertificateChain.Read(Encoding.ASCII.GetBytes(pem), key, [.. Names, .. more], DateTimeOffset.UtcNow).Failure!.Message;
}
