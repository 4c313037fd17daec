using KestrelStream.Acme.Storage;
using KestrelStream.Configuration;
using KestrelStream.TestKit;
using KestrelStream.Tls;
using Xunit;

namespace KestrelStream.Tests.Acme;

public sealed class AcmeStorageTests : IDisposable
{
    private const string Directory = "https://acme.test/directory";

    private readonly TempFolder _folder = new();
    private readonly AcmeStorage _storage;

    public AcmeStorageTests() => _storage = new AcmeStorage(_folder["acme"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_Files_AreTheOwnersAloneAndWhole()
    {
        _storage.EnsureWritable();
        _storage.WriteAccount(new StoredAccount { Directory = Directory, Key = "k", Url = "u" }, keyId: null);
        _storage.WriteOrder("www", new StoredOrder { Directory = Directory, Names = ["a"], Key = "k", Url = "u" });
        _storage.WriteOrder("www", new StoredOrder { Directory = Directory, Names = ["b"], Key = "k", Url = "u" });

        Assert.Equal("u", _storage.ReadAccount(Directory, keyId: null)!.Url);
        Assert.Null(_storage.ReadAccount(Directory, "other"));
        Assert.Null(_storage.ReadAccount("https://other.test/", keyId: null));
        Assert.Equal(["b"], _storage.ReadOrder("WWW")!.Names);
        Assert.Equal(2, System.IO.Directory.GetFiles(_storage.Folder).Length);
        Assert.All(System.IO.Directory.GetFiles(_storage.Folder), file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_storage.Folder));
    }

    [Fact]
    public void WriteCertificate_IsReadBackAndByTheStore()
    {
        var issued = TestCertificates.Shared.Issue("www.example.com");
        var config = new AcmeConfig { Directory = Directory, Names = ["WWW.example.com"] };
        _storage.WriteCertificate("www", config, issued.ChainPem, issued.KeyPem);

        var kept = _storage.ReadCertificate("www")!;
        Assert.Equal(Directory, kept.Directory);
        Assert.True(kept.Fits(config));
        Assert.False(kept.Fits(config with { Directory = "https://other.test/" }));
        Assert.False(kept.Fits(config with { KeyType = AcmeKeyType.Rsa2048 }));
        Assert.False(kept.Fits(config with { KeyType = AcmeKeyType.EcdsaP384 }));
        Assert.False(kept.Fits(config with { Names = ["www.example.com", "example.com"] }));

        var files = new CertificateConfig { Acme = config with { Storage = _storage.Folder } };
        var loaded = CertificateLoader.Load("www", files, CertificatePaths.Of("WWW", files, _folder.Path), DateTimeOffset.UtcNow);
        Assert.Equal(issued.Leaf.RawData, loaded.Entry!.Certificate);
    }

    [Fact]
    public void Read_DamagedOrMissing_IsNull()
    {
        Assert.Null(_storage.ReadOrder("www"));
        Assert.Null(_storage.ReadCertificate("www"));
        _folder.Write("acme/www.order", "{ \"url\":");
        _folder.Write("acme/www.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        Assert.Null(_storage.ReadOrder("www"));
        Assert.Null(_storage.ReadCertificate("www"));
    }

    [Fact]
    public void ReadCertificate_KeyIsMissingOrAnothers_IsNull()
    {
        var (issued, other) = (TestCertificates.Shared.Issue("www.example.com"), TestCertificates.Shared.Issue("www.example.com"));
        _folder.Write("acme/www.pem", issued.ChainPem);
        Assert.Null(_storage.ReadCertificate("www"));
        _folder.Write("acme/www.pem", $"{issued.ChainPem}\n{other.KeyPem}\n");
        Assert.Null(_storage.ReadCertificate("www"));
        _folder.Write("acme/www.pem", $"{issued.ChainPem}\n{issued.KeyPem}\n");
        Assert.NotNull(_storage.ReadCertificate("www"));
    }

    [Fact]
    public void Fits_NamesWereTakenAway_OnlyWhatTheAuthorityHasAddedIsNoDifference()
    {
        var issued = TestCertificates.Shared.Issue("www.example.com", "added.example.com");
        var config = new AcmeConfig { Directory = Directory, Names = ["www.example.com"] };
        _storage.WriteCertificate("www", config, issued.ChainPem, issued.KeyPem);
        Assert.True(_storage.ReadCertificate("www")!.Fits(config));

        _storage.WriteCertificate("www", config with { Names = ["added.example.com", "www.example.com"] }, issued.ChainPem, issued.KeyPem);
        Assert.False(_storage.ReadCertificate("www")!.Fits(config));
        Assert.True(_storage.ReadCertificate("www")!.Fits(config with { Names = ["www.example.com", "Added.example.com"] }));
    }

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("a/b")]
    [InlineData("ÄÖ %")]
    public void NameOf_AnyId_IsOneFileInTheFolder(string id)
    {
        Assert.DoesNotContain('/', AcmeFiles.NameOf(id));
        Assert.Equal(64, AcmeFiles.NameOf(new string('x', 5000)).Length);
    }
}
