using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Samples;

/// <summary>samples/sni-passthrough.</summary>
public sealed class SniPassthroughTests
{
    [Fact]
    public async Task SniPassthrough_Names_ReachTheirOwnBackendsWithTlsUntouched()
    {
        using var folder = new TempFolder();
        var root = Sample.WriteRoot(folder);
        await using var nginx = await StartBackendsAsync();
        await using var server = await StartServerAsync(nginx);

        // nginx says which name it saw in the ClientHello: TLS went through unopened.
        foreach (var (name, site) in new[] { ("app1.example.com", "app1"), ("app2.example.com", "app2"), ("www.app2.example.com", "app2") })
        {
            var answer = await Curl.GetAsync($"https://{name}/", server.Listener("public"), "--cacert", root);
            Assert.Equal($"site={site} sni={name} tls=TLSv1.3 host={name}", answer.Body);
        }
    }

    [Theory]
    [InlineData("other.example.com")]
    [InlineData("deep.app1.example.com")]
    [InlineData(null)]
    public async Task SniPassthrough_NameOfNobody_GetsUnrecognizedName(string? name)
    {
        await using var nginx = await StartBackendsAsync();
        await using var server = await StartServerAsync(nginx);

        var result = await OpenSslClient.HandshakeAsync(server.Listener("public"), name);

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("unrecognized name", result.Error);
        Assert.Contains("no peer certificate available", result.Output);
    }

    private static Task<NginxProcess> StartBackendsAsync() => NginxProcess.StartAsync(
        new NginxSite("app1", TestCertificates.Shared.Issue("app1.example.com")),
        new NginxSite("app2", TestCertificates.Shared.Issue("app2.example.com", "*.app2.example.com")));

    private static Task<ServerProcess> StartServerAsync(NginxProcess nginx) => Sample.StartServerAsync("sni-passthrough", new()
    {
        ["StreamProxy:Listeners:public:Address"] = "127.0.0.1:0",
        ["StreamProxy:Clusters:app1:Destinations:a:Address"] = nginx["app1"].ToString(),
        ["StreamProxy:Clusters:app2:Destinations:a:Address"] = nginx["app2"].ToString(),
    });
}
