using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Configuration;
using KestrelStream.TestKit;
using KestrelStream.Tls;
using Xunit;

namespace KestrelStream.Tests.Tls;

public sealed class CertificateLoaderTests : IDisposable
{
    private const string Password = "correct horse";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(TestKeyType.EcdsaP256)]
    [InlineData(TestKeyType.Rsa2048)]
    public void Load_EveryForm_GivesLeafWithKeyAndChain(TestKeyType keyType)
    {
        var issued = TestCertificates.Shared.Issue(keyType, ["a.example", "*.b.example"]);
        _folder.Write("chain.pem", issued.ChainPem);
        _folder.Write("pkcs8.pem", issued.KeyPem);
        _folder.Write("traditional.pem", (keyType == TestKeyType.EcdsaP256 ? "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" : "") + issued.TraditionalKeyPem);
        _folder.Write("encrypted.pem", issued.EncryptedKeyPem(Password));
        _folder.Write("both.pem", $"subject=some text of OpenSSL\n{issued.ChainPem}{issued.KeyPem}");
        _folder.Write("both-encrypted.pem", issued.EncryptedKeyPem(Password) + issued.ChainPem);
        _folder.Write("open.pfx", issued.Pfx(null));
        _folder.Write("locked.pfx", issued.Pfx(Password));

        AssertLoads(issued, new() { Path = "chain.pem", KeyPath = "pkcs8.pem" });
        AssertLoads(issued, new() { Path = "chain.pem", KeyPath = "traditional.pem" });
        AssertLoads(issued, new() { Path = "chain.pem", KeyPath = "encrypted.pem", Password = Password });
        AssertLoads(issued, new() { Path = "chain.pem", KeyPath = "pkcs8.pem", Password = "not needed" });
        AssertLoads(issued, new() { Path = "both.pem" });
        AssertLoads(issued, new() { Path = "both.pem", KeyPath = "both.pem" });
        AssertLoads(issued, new() { Path = "both-encrypted.pem", Password = Password });
        AssertLoads(issued, new() { Path = "open.pfx" });
        AssertLoads(issued, new() { Path = "open.pfx", Password = "" });
        AssertLoads(issued, new() { Path = "locked.pfx", Password = Password });
        AssertLoads(issued, new() { Path = _folder["chain.pem"], KeyPath = _folder["pkcs8.pem"] });
    }

    [Theory]
    [InlineData("pass:", null)]
    [InlineData("pass:correct horse", Password)]
    public async Task Load_PfxMadeByOpenSsl_Loads(string openSslPassword, string? password)
    {
        var issued = TestCertificates.Shared.Issue(TestKeyType.Rsa2048, ["a.example"]);
        issued.WritePem(_folder);
        var (exitCode, output) = await OpenSslCommand.RunAsync(
            "pkcs12", "-export", "-in", _folder["fullchain.pem"], "-inkey", _folder["privkey.pem"], "-out", _folder["a.pfx"], "-passout", openSslPassword);
        Assert.True(exitCode == 0, output);

        AssertLoads(issued, new() { Path = "a.pfx", Password = password });
    }

    [Fact]
    public void Load_MissingFiles_NamesFileAndKey()
    {
        var issued = TestCertificates.Shared.Issue("a.example");
        issued.WritePem(_folder);
        Directory.CreateDirectory(_folder["sub"]);

        AssertFails(new() { Path = "none.pem", KeyPath = "privkey.pem" }, "Path", $"'{_folder["none.pem"]}' does not exist");
        AssertFails(new() { Path = "nowhere/none.pem", KeyPath = "privkey.pem" }, "Path", $"'{_folder["nowhere", "none.pem"]}' does not exist");
        AssertFails(new() { Path = "fullchain.pem", KeyPath = "none.pem" }, "KeyPath", $"'{_folder["none.pem"]}' does not exist");
        AssertFails(new() { Path = "sub", KeyPath = "privkey.pem" }, "Path", $"'{_folder["sub"]}' is a directory");
        AssertFails(new() { Path = "fullchain.pem", KeyPath = "sub" }, "KeyPath", $"'{_folder["sub"]}' is a directory");
        AssertFails(new() { KeyPath = "privkey.pem" }, "Path", "no certificate file is named");
        AssertFails(new() { Path = "fullchain.pem/under", KeyPath = "privkey.pem" }, "Path", "fullchain.pem/under'");
    }

    [Fact]
    public void Load_WrongContent_SaysWhat()
    {
        var issued = TestCertificates.Shared.Issue("a.example");
        issued.WritePem(_folder);
        _folder.Write("empty.pem", "");
        _folder.Write("text.pem", "not a certificate");
        _folder.Write("long.pem", new string('x', 2 << 20));
        _folder.Write("half.pem", issued.ChainPem[..(issued.ChainPem.Length / 3)]);
        _folder.Write("half-key.pem", issued.KeyPem[..100]);
        _folder.Write("damaged.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        _folder.Write("damaged-key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
        _folder.Write("leaf.der", issued.Leaf.RawData);
        _folder.Write("keyless.pfx", TestCertificates.Shared.Intermediate.Export(X509ContentType.Pkcs12));
        _folder.Write("good.pfx", issued.Pfx(null));
        _folder.Write("half.pfx", issued.Pfx(null)[..300]);

        AssertFails(new() { Path = "empty.pem" }, "Path", "is empty");
        AssertFails(new() { Path = "text.pem" }, "Path", "is neither PEM nor PKCS#12");
        AssertFails(new() { Path = "long.pem" }, "Path", "is too long");
        AssertFails(new() { Path = "half.pem", KeyPath = "privkey.pem" }, "Path", "cut off or damaged");
        AssertFails(new() { Path = "fullchain.pem", KeyPath = "half-key.pem" }, "KeyPath", "cut off or damaged");
        AssertFails(new() { Path = "damaged.pem", KeyPath = "privkey.pem" }, "Path", "certificate 1 of");
        AssertFails(new() { Path = "fullchain.pem", KeyPath = "damaged-key.pem" }, "KeyPath", "is damaged");
        AssertFails(new() { Path = "privkey.pem" }, "Path", "holds no certificate");
        AssertFails(new() { Path = "fullchain.pem" }, "Path", "holds no private key, and no KeyPath is set");
        AssertFails(new() { Path = "fullchain.pem", KeyPath = "fullchain.pem" }, "KeyPath", "holds no PEM private key");
        AssertFails(new() { Path = "fullchain.pem", KeyPath = "good.pfx" }, "KeyPath", "holds no PEM private key");
        AssertFails(new() { Path = "leaf.der", KeyPath = "privkey.pem" }, "Path", "is neither PEM nor PKCS#12");
        AssertFails(new() { Path = "keyless.pfx" }, "Path", "holds no private key");
        AssertFails(new() { Path = "half.pfx" }, "Path", "is neither PEM nor PKCS#12");
        AssertFails(new() { Path = "good.pfx", KeyPath = "privkey.pem" }, "KeyPath", "leave KeyPath out");
    }

    [Fact]
    public void Load_WrongPassword_SaysSoAndDoesNotTellIt()
    {
        var issued = TestCertificates.Shared.Issue("a.example");
        issued.WritePem(_folder);
        _folder.Write("encrypted.pem", issued.EncryptedKeyPem(Password));
        _folder.Write("locked.pfx", issued.Pfx(Password));

        AssertFails(new() { Path = "fullchain.pem", KeyPath = "encrypted.pem", Password = "wrong one" }, "Password", "wrong password");
        AssertFails(new() { Path = "fullchain.pem", KeyPath = "encrypted.pem" }, "Password", "is encrypted, and no Password is set");
        AssertFails(new() { Path = "locked.pfx", Password = "wrong one" }, "Password", "wrong password");
        AssertFails(new() { Path = "locked.pfx" }, "Password", "needs a password, and no Password is set");
    }

    [Fact]
    public async Task Load_KeyEncryptedInOldForm_SaysHowToConvert()
    {
        TestCertificates.Shared.Issue(TestKeyType.Rsa2048, ["a.example"]).WritePem(_folder);
        var (exitCode, output) = await OpenSslCommand.RunAsync(
            "rsa", "-traditional", "-aes128", "-in", _folder["privkey.pem"], "-out", _folder["old.pem"], "-passout", "pass:x");
        Assert.True(exitCode == 0, output);

        AssertFails(new() { Path = "fullchain.pem", KeyPath = "old.pem", Password = "x" }, "KeyPath", "openssl pkcs8 -topk8");
    }

    [Fact]
    public void Load_KeyOfAnotherCertificate_NamesBothFiles()
    {
        var issued = TestCertificates.Shared.Issue("a.example");
        issued.WritePem(_folder);
        _folder.Write("other.pem", TestCertificates.Shared.Issue("a.example").KeyPem);
        _folder.Write("other-rsa.pem", TestCertificates.Shared.Issue(TestKeyType.Rsa2048, ["a.example"]).KeyPem);
        _folder.Write("both.pem", issued.ChainPem + File.ReadAllText(_folder["other.pem"]));
        _folder.Write("reversed.pem", string.Concat(issued.Intermediates.Select(certificate => certificate.ExportCertificatePem() + "\n")) + issued.LeafPem);

        AssertFails(new() { Path = "fullchain.pem", KeyPath = "other.pem" }, "KeyPath", $"'{_folder["other.pem"]}' does not match the certificate in '{_folder["fullchain.pem"]}'");
        AssertFails(new() { Path = "fullchain.pem", KeyPath = "other-rsa.pem" }, "KeyPath", "does not match");
        AssertFails(new() { Path = "both.pem" }, "Path", "does not match");
        AssertFails(new() { Path = "reversed.pem", KeyPath = "privkey.pem" }, "Path", "certificate 2 of");
    }

    [Fact]
    public void Load_KeyThatOpenSslRefuses_IsAnError()
    {
        using var rsa = RSA.Create(1024);
        WriteSelfSigned("small", new CertificateRequest("CN=a.example", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1), rsa);
        using var ecdsa = ECDsa.Create(ECCurve.CreateFromFriendlyName("secp192k1"));
        WriteSelfSigned("small-ec", new CertificateRequest("CN=a.example", ecdsa, HashAlgorithmName.SHA256), ecdsa);

        AssertFails(new() { Path = "small.pem", KeyPath = "small.key" }, "Path", "RSA key of 1024 bits");
        AssertFails(new() { Path = "small-ec.pem", KeyPath = "small-ec.key" }, "Path", "ECDSA key of 192 bits");
    }

    [Fact]
    public void Load_ExpiredOrNotYetValid_IsAWarning()
    {
        var now = DateTimeOffset.UtcNow;
        TestCertificates.Shared.Issue(TestKeyType.EcdsaP256, ["a.example"], now.AddDays(-20), now.AddDays(-10)).WritePem(_folder, "old.pem", "old.key");
        TestCertificates.Shared.Issue(TestKeyType.EcdsaP256, ["a.example"], now.AddDays(10), now.AddDays(20)).WritePem(_folder, "new.pem", "new.key");

        var old = Load(new() { Path = "old.pem", KeyPath = "old.key" });
        Assert.NotNull(old.Entry);
        Assert.StartsWith($"'{_folder["old.pem"]}' expired on ", Assert.Single(old.Warnings).Message, StringComparison.Ordinal);
        Assert.StartsWith($"'{_folder["new.pem"]}' is not valid before ", Load(new() { Path = "new.pem", KeyPath = "new.key" }).Warnings[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_Names_AreTheAlternativeOnesOrElseTheCommonName()
    {
        TestCertificates.Shared.Issue(TestKeyType.EcdsaP256, ["B.example", "*.C.example", "b.example"], commonName: "a.example").WritePem(_folder, "san.pem", "san.key");
        TestCertificates.Shared.Issue(TestKeyType.EcdsaP256, [], commonName: "A.example").WritePem(_folder, "cn.pem", "cn.key");

        Assert.Equal(["b.example", "*.c.example"], Load(new() { Path = "san.pem", KeyPath = "san.key" }).Entry!.DnsNames);
        Assert.Equal(["a.example"], Load(new() { Path = "cn.pem", KeyPath = "cn.key" }).Entry!.DnsNames);
    }

    [Fact]
    public void Load_FingerprintIsOfTheFilesItCameFrom()
    {
        var (path, keyPath) = TestCertificates.Shared.Issue("a.example").WritePem(_folder);
        File.CreateSymbolicLink(_folder["link.pem"], "fullchain.pem");

        var result = Load(new() { Path = "link.pem", KeyPath = "privkey.pem" });

        Assert.Equal(result.Files, result.Entry!.Files);
        Assert.Equal(path, result.Files.Certificate.Target);
        Assert.Equal(keyPath, result.Files.Key!.Value.Target);
        Assert.Equal(new FileInfo(path).Length, result.Files.Certificate.Length);
    }

    private void WriteSelfSigned(string name, CertificateRequest request, AsymmetricAlgorithm key)
    {
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        _folder.Write(name + ".pem", certificate.ExportCertificatePem());
        _folder.Write(name + ".key", key.ExportPkcs8PrivateKeyPem());
    }

    private CertificateLoadResult Load(CertificateConfig config) => CertificateLoader.Load("c", config, _folder.Path, DateTimeOffset.UtcNow);

    private void AssertLoads(TestCertificate issued, CertificateConfig config)
    {
        var result = Load(config);
        Assert.Null(result.Error);
        Assert.Empty(result.Warnings);
        var entry = result.Entry!;
        Assert.Equal("c", entry.Id);
        using var leaf = entry.CreateLeaf();
        Assert.Equal(issued.Leaf.Thumbprint, leaf.Thumbprint);
        Assert.True(leaf.HasPrivateKey);
        Assert.Equal(issued.Intermediates.Select(certificate => certificate.RawData), entry.Chain.Select(certificate => certificate.Der));
        Assert.Equal(issued.Intermediates.Select(certificate => certificate.Thumbprint), entry.CreateContext(trust: null).IntermediateCertificates.Select(certificate => certificate.Thumbprint));
        Assert.Equal(issued.Leaf.NotAfter.ToUniversalTime(), entry.NotAfter.UtcDateTime);
    }

    private void AssertFails(CertificateConfig config, string key, string message)
    {
        var result = Load(config);
        Assert.Null(result.Entry);
        Assert.Equal("c", result.Error!.Id);
        Assert.Equal(key, result.Error.Key);
        Assert.Contains(message, result.Error.Message, StringComparison.Ordinal);
        if (config.Password is { Length: > 1 } password)
        {
            Assert.DoesNotContain(password, result.Error.Message, StringComparison.Ordinal);
        }
    }
}
