using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Tls;
using Xunit;

namespace KestrelStream.Tests.Tls;

public sealed class Pkcs8KeyTests
{
    [Theory]
    [InlineData("nistP256", 256)]
    [InlineData("nistP384", 384)]
    [InlineData("nistP521", 521)]
    public void BitsIfOf_Ecdsa_OnlyOfTheCertificate(string curve, int bits)
    {
        using var key = ECDsa.Create(ECCurve.CreateFromFriendlyName(curve));
        using var other = ECDsa.Create(ECCurve.CreateFromFriendlyName(curve));
        using var certificate = SelfSigned(new CertificateRequest("CN=a", key, HashAlgorithmName.SHA256));

        Assert.Equal(bits, Pkcs8Key.BitsIfOf(certificate, key.ExportPkcs8PrivateKey()));
        Assert.Equal(0, Pkcs8Key.BitsIfOf(certificate, other.ExportPkcs8PrivateKey()));
    }

    [Fact]
    public void BitsIfOf_Rsa_OnlyOfTheCertificate_AndWithItsFactors()
    {
        using var key = RSA.Create(2048);
        using var other = RSA.Create(2048);
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = SelfSigned(new CertificateRequest("CN=a", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        var der = key.ExportPkcs8PrivateKey();

        Assert.Equal(2048, Pkcs8Key.BitsIfOf(certificate, der));
        Assert.Equal(0, Pkcs8Key.BitsIfOf(certificate, other.ExportPkcs8PrivateKey()));
        Assert.Equal(0, Pkcs8Key.BitsIfOf(certificate, ecdsa.ExportPkcs8PrivateKey()));

        var factor = der.AsSpan().IndexOf(key.ExportParameters(true).P!);
        der[factor + 60] ^= 1;
        Assert.Equal(0, Pkcs8Key.BitsIfOf(certificate, der));
    }

    [Fact]
    public void BitsIfOf_CutOrChangedBytes_NeverThrows()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = SelfSigned(new CertificateRequest("CN=a", key, HashAlgorithmName.SHA256));
        var der = key.ExportPkcs8PrivateKey();
        for (var i = 0; i < der.Length; i++)
        {
            Assert.Equal(0, Pkcs8Key.BitsIfOf(certificate, der[..i]));
            var changed = (byte[])der.Clone();
            changed[i] ^= 0x41;
            Assert.InRange(Pkcs8Key.BitsIfOf(certificate, changed), 0, 256);
        }
    }

    private static X509Certificate2 SelfSigned(CertificateRequest request) => request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
}
