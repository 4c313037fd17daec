using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Server;

/// <summary>What <c>check</c> says about certificates: each mistake with its path, word for word.</summary>
public sealed class CheckTlsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Check_KeyOfAnotherCertificate_IsAnError()
    {
        Issue("a.example.com").WritePem(_folder, "a.pem", "a.key");
        _folder.Write("a.key", Issue("a.example.com").KeyPem);

        await AssertErrorAsync(
            Site, "StreamProxy:Certificates:site:KeyPath: the private key in 'DIR/a.key' does not match the certificate in 'DIR/a.pem' (certificate \"site\" of route app)");
    }

    [Fact]
    public async Task Check_MissingFile_IsAnError()
    {
        Issue("a.example.com").WritePem(_folder, "a.pem", "other.key");

        await AssertErrorAsync(Site, "StreamProxy:Certificates:site:KeyPath: 'DIR/a.key' does not exist (certificate \"site\" of route app)");
    }

    [Fact]
    public async Task Check_EncryptedKeyWithoutPassword_IsAnError()
    {
        var certificate = Issue("a.example.com");
        certificate.WritePem(_folder, "a.pem", "a.key");
        _folder.Write("a.key", certificate.EncryptedKeyPem("secret"));

        await AssertErrorAsync(
            Site, "StreamProxy:Certificates:site:Password: the private key in 'DIR/a.key' is encrypted, and no Password is set (certificate \"site\" of route app)");
    }

    [Fact]
    public async Task Check_CutOffFile_IsAnError()
    {
        var certificate = Issue("a.example.com");
        certificate.WritePem(_folder, "a.pem", "a.key");
        _folder.Write("a.pem", certificate.ChainPem[..200]);

        await AssertErrorAsync(Site, "StreamProxy:Certificates:site:Path: a PEM block of 'DIR/a.pem' is cut off or damaged (certificate \"site\" of route app)");
    }

    [Fact]
    public async Task Check_MissingFolder_IsAnError()
        => await AssertErrorAsync(
            "\"Directory\": \"certs\"", "StreamProxy:Certificates:site:Directory: 'DIR/certs' does not exist (certificate \"site\" of route app)");

    [Fact]
    public async Task Check_CertificateThatOpenSslRefusesByPolicy_IsAnError()
    {
        Issue("a.example.com").WritePem(_folder, "a.pem", "a.key");

        var result = await CheckAsync(Site, tls: ", \"Ciphers\": \"HIGH:@SECLEVEL=5\"");

        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith("StreamProxy:Routes:app:Tls:Certificates:0: OpenSSL refuses it: ", result.Error, StringComparison.Ordinal);
        Assert.EndsWith($"('{_folder["a.pem"]}')", result.Error.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_CiphersThatNoKeyIsFor_IsAnErrorWithoutTls13_AndAWarningWithIt()
    {
        Issue("a.example.com").WritePem(_folder, "a.pem", "a.key");
        _folder.Write("a.pem", File.ReadAllText(_folder["a.pem"]) + TestCertificates.Shared.Root.ExportCertificatePem());
        const string ciphers = ", \"Ciphers\": \"ECDHE-RSA-AES128-GCM-SHA256\"";

        Assert.Equal(
            ["warning: StreamProxy:Routes:app:Tls:Ciphers: no suite of \"ECDHE-RSA-AES128-GCM-SHA256\" is for the ECDSA key of 'DIR/a.pem': clients of TLS 1.2 are refused with it"],
            await WarningsAsync(Site, tls: ciphers));

        var result = await CheckAsync(Site, tls: ciphers + ", \"Protocols\": [\"Tls12\"]");
        Assert.Equal(1, result.ExitCode);
        Assert.Equal(
            "StreamProxy:Routes:app:Tls:Ciphers: no suite of \"ECDHE-RSA-AES128-GCM-SHA256\" is for a key of the route's certificates; valid: suites for ECDSA, or \"Tls13\" among Protocols",
            result.Error.TrimEnd());
    }

    [Fact]
    public async Task Check_ExpiredNotYetValidOrEndingSoon_IsAWarning()
    {
        var now = DateTimeOffset.UtcNow;
        TestCertificates.Shared.Issue(TestKeyType.EcdsaP256, ["a.example.com"], now.AddDays(-20), now.AddDays(-10))
            .WritePem(_folder, "a.pem", "a.key");
        Assert.Matches(@"^warning: StreamProxy:Certificates:site:Path: 'DIR/a\.pem' expired on 20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ$", (await WarningsAsync(Site))[0]);

        TestCertificates.Shared.Issue(TestKeyType.EcdsaP256, ["a.example.com"], now.AddDays(1), now.AddDays(80)).WritePem(_folder, "a.pem", "a.key");
        Assert.Matches(@"^warning: StreamProxy:Certificates:site:Path: 'DIR/a\.pem' is not valid before 20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ$", (await WarningsAsync(Site))[0]);

        TestCertificates.Shared.Issue(TestKeyType.EcdsaP256, ["a.example.com"], now.AddDays(-80), now.AddDays(13)).WritePem(_folder, "a.pem", "a.key");
        Assert.Matches(@"^warning: StreamProxy:Certificates:site:Path: 'DIR/a\.pem' ends soon, on 20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ$", (await WarningsAsync(Site))[0]);
    }

    [Fact]
    public async Task Check_ChainWithAGap_IsAWarning_AndOneUpToTheRootIsNot()
    {
        var certificate = Issue("a.example.com");
        certificate.WritePem(_folder, "a.pem", "a.key");

        // The root of the tests is none of the system's.
        Assert.Equal(
            ["warning: StreamProxy:Certificates:site:Path: the chain of 'DIR/a.pem' is incomplete: the certificate of \"CN=KestrelStream Test Root\" is neither in the file nor one of the roots of this system"],
            await WarningsAsync(Site));

        _folder.Write("a.pem", certificate.LeafPem);
        Assert.Equal(
            ["warning: StreamProxy:Certificates:site:Path: the chain of 'DIR/a.pem' is incomplete: the certificate of \"CN=KestrelStream Test Intermediate\" is neither in the file nor one of the roots of this system"],
            await WarningsAsync(Site));

        _folder.Write("a.pem", certificate.ChainPem + TestCertificates.Shared.Root.ExportCertificatePem());
        Assert.Empty(await WarningsAsync(Site));
    }

    [Fact]
    public async Task Check_SelfSigned_IsAWarning()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=a.example.com", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(90));
        _folder.Write("a.pem", certificate.ExportCertificatePem());
        _folder.Write("a.key", key.ExportPkcs8PrivateKeyPem());

        Assert.Equal(["warning: StreamProxy:Certificates:site:Path: 'DIR/a.pem' is self-signed: clients trust it only when they were told to"], await WarningsAsync(Site));
    }

    [Fact]
    public async Task Check_NamesOfTheRouteThatNoCertificateHas_AreWarnings()
    {
        WriteWithRoot(Issue("a.example.com", "*.b.example.com"));

        Assert.Equal(
        [
            "warning: StreamProxy:Routes:app:Match:Sni:1: no certificate of the route has \"c.example.com\": clients that ask for it are shown \"site\"",
            "warning: StreamProxy:Routes:app:Match:Sni:3: no certificate of the route has \"b.example.com\": clients that ask for it are shown \"site\"",
        ],
        await WarningsAsync(Site, sni: "\"a.example.com\", \"c.example.com\", \"y.b.example.com\", \".b.example.com\", \"mail.*\", \"~^x\""));
        Assert.Equal(
            ["warning: StreamProxy:Routes:app:Match:Sni:0: no certificate of the route has \"c.example.com\": clients that ask for it are refused"],
            await WarningsAsync(Site, tls: ", \"UnknownName\": \"Reject\"", sni: "\"c.example.com\""));
    }

    [Fact]
    public async Task Check_KeyThatEveryoneCanRead_IsAWarning()
    {
        WriteWithRoot(Issue("a.example.com"));
        File.SetUnixFileMode(_folder.Path, File.GetUnixFileMode(_folder.Path) | UnixFileMode.OtherExecute);
        File.SetUnixFileMode(_folder["a.key"], UnixFileMode.UserRead | UnixFileMode.OtherRead);

        Assert.Equal(
            ["warning: StreamProxy:Certificates:site:KeyPath: 'DIR/a.key' has a private key and can be read by every user of this machine"], await WarningsAsync(Site));
    }

    [Fact]
    public async Task Check_Folder_BadPairsAreWarningsAndAnEmptyOneToo()
    {
        Directory.CreateDirectory(_folder["certs"]);
        Assert.Equal(["warning: StreamProxy:Certificates:site:Directory: 'DIR/certs' has no certificate"], await WarningsAsync("\"Directory\": \"certs\""));

        Issue("a.example.com").WritePem(_folder, "certs/a.crt", "certs/a.key");
        _folder.Write("certs/a.key", Issue("a.example.com").KeyPem);
        Assert.Contains(
            "warning: StreamProxy:Certificates:site:Directory: the private key in 'DIR/certs/a.key' does not match the certificate in 'DIR/certs/a.crt'",
            await WarningsAsync("\"Directory\": \"certs\""));
    }

    private const string Site = "\"Path\": \"a.pem\", \"KeyPath\": \"a.key\"";

    private static TestCertificate Issue(params string[] names) => TestCertificates.Shared.Issue(TestKeyType.EcdsaP256, names, notAfter: DateTimeOffset.UtcNow.AddDays(60));

    /// <summary>With the whole chain, so that nothing else is to be warned of.</summary>
    private void WriteWithRoot(TestCertificate certificate)
    {
        certificate.WritePem(_folder, "a.pem", "a.key");
        File.AppendAllText(_folder["a.pem"], TestCertificates.Shared.Root.ExportCertificatePem());
    }

    private async Task AssertErrorAsync(string certificate, string error)
    {
        var result = await CheckAsync(certificate);
        Assert.Equal(1, result.ExitCode);
        Assert.Equal(error, Neutral(result.Error).Trim());
    }

    private async Task<string[]> WarningsAsync(string certificate, string tls = "", string sni = "")
    {
        var result = await CheckAsync(certificate, tls, sni);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Empty(result.Error);
        return [.. Neutral(result.Output).Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line.StartsWith("warning: ", StringComparison.Ordinal))];
    }

    private string Neutral(string text) => text.Replace(_folder.Path, "DIR", StringComparison.Ordinal);

    private Task<ProcessResult> CheckAsync(string certificate, string tls = "", string sni = "")
        => ServerProcess.RunAsync(new ServerOptions { ConfigPath = _folder.Write("appsettings.json", $$"""
            {
              "StreamProxy": {
                "Listeners": { "public": { "Address": "127.0.0.1:0" } },
                "Certificates": { "site": { {{certificate}} } },
                "Routes": { "app": { "Match": { "Sni": [{{sni}}] }, "Tls": { "Mode": "Terminate", "Certificates": ["site"]{{tls}} }, "ClusterId": "c" } },
                "Clusters": { "c": { "Destinations": { "a": { "Address": "127.0.0.1:9" } } } }
              }
            }
            """) }, "check");
}
