using KestrelStream.Tls;
using Xunit;

namespace KestrelStream.Tests.Tls;

public sealed class CertificateFileNamesTests
{
    [Theory]
    [InlineData("a.crt a.key", "a.crt+a.key")]
    [InlineData("a.pem a.key", "a.pem+a.key")]
    [InlineData("tls.crt tls.key ca.crt", "tls.crt+tls.key")] // Kubernetes
    [InlineData("cert.pem chain.pem fullchain.pem privkey.pem", "fullchain.pem+privkey.pem")] // certbot
    [InlineData("a.crt a.issuer.crt a.key b.crt", "a.crt+a.key")] // lego
    [InlineData("a.pem a-key.pem", "a.pem+a-key.pem")] // mkcert
    [InlineData("a.pem b.pem", "a.pem b.pem")] // HAProxy
    [InlineData("a.pem a.pem.key b.crt b.crt.key", "b.crt+b.crt.key a.pem+a.pem.key")] // HAProxy
    [InlineData("a.crt a.pem a.key", "a.crt+a.key a.pem")]
    [InlineData("a.pfx b.p12", "a.pfx b.p12")]
    [InlineData("a.rsa.pem a.rsa.key a.ecdsa.pem a.ecdsa.key", "a.rsa.pem+a.rsa.key a.ecdsa.pem+a.ecdsa.key")]
    [InlineData("a.key b.crt", "")]
    public void Pair_NamesOfAFolder_FindsWhatBelongsTogether(string names, string expected)
    {
        var pairs = CertificateFileNames.Pair(names.Split(' ').ToHashSet());

        Assert.Equal(
            expected.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(),
            pairs.Select(pair => pair.Key is null ? pair.Certificate : $"{pair.Certificate}+{pair.Key}").Order());
    }

    [Theory]
    [InlineData("a.crt", true)]
    [InlineData("a.p12", true)]
    [InlineData("a.key", true)]
    [InlineData("README", false)]
    [InlineData("a.json", false)]
    [InlineData("a.pem~", false)]
    [InlineData("a.pem.tmp", false)]
    public void IsOurs_Name_GoesByItsEnding(string name, bool expected) => Assert.Equal(expected, CertificateFileNames.IsOurs(name));
}
