using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.TestKit;
using KestrelStream.Tls;
using Xunit;

namespace KestrelStream.Tests.Tls;

public sealed class ClientCertificateTests
{
    private static readonly TestClientAuthority s_authority = new("Clients");

    [Fact]
    public void Of_Certificate_HasItsNamesAndDigest()
    {
        var certificate = s_authority.Issue("CN=app, O=Example");

        Assert.Equal(
            new ClientCertificate(
                "CN=app, O=Example",
                "CN=Clients Intermediate",
                "DNS:client.example.com, URI:spiffe://example.com/client, email:client@example.com, IP Address:192.0.2.7",
                Convert.ToHexStringLower(SHA256.HashData(certificate.Leaf.RawData)))
            {
                CommonName = "app",
            },
            ClientCertificate.Of(certificate.Leaf.RawData));
    }

    [Theory]
    [InlineData("O=Example, CN=first, CN=last", "last")]
    [InlineData("O=Example", null)]
    public void Of_CommonName_IsTheMostSpecificOne(string subject, string? expected)
    {
        var request = new CertificateRequest(new X500DistinguishedName(subject, X500DistinguishedNameFlags.None), ECDsa.Create(), HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));

        Assert.Equal(expected, ClientCertificate.Of(certificate.RawData).CommonName);
    }

    [Fact]
    public void Of_LongSubject_IsCut()
    {
        var parts = string.Join(", ", Enumerable.Range(0, 40).Select(i => $"OU={new string('x', 60)}{i}"));

        Assert.Equal(1025, ClientCertificate.Of(s_authority.Issue(parts).Leaf.RawData).Subject!.Length);
    }

    [Fact]
    public void Of_BytesThatAreNoCertificate_HasTheDigestAlone()
        => Assert.Equal(new ClientCertificate(null, null, null, Convert.ToHexStringLower(SHA256.HashData([1, 2, 3]))), ClientCertificate.Of([1, 2, 3]));

    [Theory]
    [InlineData("", null)]
    [InlineData("3000", null)]
    [InlineData("30038201", null)]
    [InlineData("3003820161", "DNS:a")]
    [InlineData("30058703010203", null)]
    [InlineData("3003820180", null)]
    [InlineData("3006880161820261", null)]
    [InlineData("3006880161820161", "DNS:a")]
    [InlineData("3006880161820162", "DNS:b")]
    public void TextOf_OddExtensions_NeverThrows(string hex, string? expected)
        => Assert.Equal(expected, GeneralNames.TextOf(Convert.FromHexString(hex)));
}
