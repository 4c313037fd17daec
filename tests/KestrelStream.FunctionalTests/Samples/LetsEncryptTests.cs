using System.Text;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Samples;

/// <summary>samples/lets-encrypt: files as certbot lays them.</summary>
public sealed class LetsEncryptTests
{
    private const string Name = "www.example.com";

    [Fact]
    public async Task LetsEncrypt_Renewal_IsTakenOverWithoutReloadAndSessionsStay()
    {
        using var folder = new TempFolder();
        var root = Sample.WriteRoot(folder);
        var first = Renew(folder, 1);
        await using var nginx = await NginxProcess.StartAsync(new NginxSite("plain"));
        await using var server = await Sample.StartServerAsync("lets-encrypt", new()
        {
            ["StreamProxy:Listeners:public:Address"] = "127.0.0.1:0",
            ["StreamProxy:Certificates:www:Path"] = folder["live", Name, "fullchain.pem"],
            ["StreamProxy:Certificates:www:KeyPath"] = folder["live", Name, "privkey.pem"],
            ["StreamProxy:Clusters:www:Destinations:a:Address"] = nginx["plain"].ToString(),
        });
        var endPoint = server.Listener("public");
        Assert.Equal(first.Leaf.SerialNumber, await SerialAsync(endPoint));
        await using var session = OpenSslClient.Connect(endPoint, Name);
        await AskAsync(session, 1);

        var second = Renew(folder, 2);

        var until = DateTime.UtcNow + Wait.Limit;
        while (await SerialAsync(endPoint) != second.Leaf.SerialNumber)
        {
            Assert.True(DateTime.UtcNow < until, $"The renewed certificate is not in force:\n{server.Error.Text}");
            await Task.Delay(200);
        }

        await AskAsync(session, 2);
        Assert.Equal("site=plain sni= tls= host=example.com", (await Curl.GetAsync("https://example.com/", endPoint, "--cacert", root)).Body);
    }

    /// <summary>What certbot does: new files in the archive, then the links one after the other.</summary>
    private static TestCertificate Renew(TempFolder folder, int number)
    {
        var certificate = TestCertificates.Shared.Issue(Name, "example.com");
        folder.Write($"archive/{Name}/privkey{number}.pem", certificate.KeyPem);
        folder.Write($"archive/{Name}/fullchain{number}.pem", certificate.ChainPem);
        Directory.CreateDirectory(folder["live", Name]);
        foreach (var file in new[] { "privkey", "fullchain" })
        {
            var link = folder["live", Name, file + ".pem"];
            File.Delete(link);
            File.CreateSymbolicLink(link, $"../../archive/{Name}/{file}{number}.pem");
        }

        return certificate;
    }

    private static async Task<string> SerialAsync(System.Net.IPEndPoint endPoint)
    {
        using var certificate = OpenSslClient.PeerCertificate(await OpenSslClient.HandshakeAsync(endPoint, Name));
        return certificate.SerialNumber;
    }

    /// <summary>A request on the session that is open, and its answer.</summary>
    private static async Task AskAsync(ChildProcess session, int number)
    {
        await session.WriteInputAsync(Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: request{number}\r\n\r\n"), close: false);
        Assert.NotNull(await session.Output.WaitForAsync(line => line.Contains($"host=request{number}", StringComparison.Ordinal), Wait.Limit));
    }
}
