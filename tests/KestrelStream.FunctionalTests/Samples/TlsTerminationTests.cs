using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Samples;

/// <summary>samples/tls-termination.</summary>
public sealed class TlsTerminationTests
{
    [Fact]
    public async Task TlsTermination_ChainAndPlainBackend_ClientTrustsTheRootAlone()
    {
        using var folder = new TempFolder();
        var root = Sample.WriteRoot(folder);
        var (path, keyPath) = TestCertificates.Shared.Issue("www.example.com").WritePem(folder);
        await using var nginx = await NginxProcess.StartAsync(new NginxSite("plain"));
        await using var server = await Sample.StartServerAsync("tls-termination", new()
        {
            ["StreamProxy:Listeners:public:Address"] = "127.0.0.1:0",
            ["StreamProxy:Certificates:www:Path"] = path,
            ["StreamProxy:Certificates:www:KeyPath"] = keyPath,
            ["StreamProxy:Clusters:www:Destinations:a:Address"] = nginx["plain"].ToString(),
        });

        foreach (var version in new[] { "1.2", "1.3" })
        {
            var answer = await Curl.GetAsync("https://www.example.com/", server.Listener("public"), "--cacert", root, "--tls-max", version);
            Assert.Equal("site=plain sni= tls= host=www.example.com", answer.Body);
        }

        var handshake = await OpenSslClient.HandshakeAsync(server.Listener("public"), "www.example.com", "-CAfile", root, "-showcerts", "-alpn", "h2,http/1.1");
        Assert.Contains("Verify return code: 0 (ok)", handshake.Output);
        Assert.Equal(2, handshake.Output.Split("BEGIN CERTIFICATE").Length - 1);

        // Kestrel would offer h2; nothing was configured, so nothing is offered.
        Assert.Contains("No ALPN negotiated", handshake.Output);
    }
}
