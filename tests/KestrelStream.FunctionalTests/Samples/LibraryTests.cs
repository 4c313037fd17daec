using System.Net;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Samples;

/// <summary>samples/library: an app that hosts the proxy.</summary>
public sealed class LibraryTests
{
    [Fact]
    public async Task Library_App_ServesItsPagesAndProxies()
    {
        using var folder = new TempFolder();
        var root = Sample.WriteRoot(folder);
        await using var nginx = await NginxProcess.StartAsync(new NginxSite("app1", TestCertificates.Shared.Issue("app1.example.com")));
        await using var app = ChildProcess.Start(
            RepositoryFolder.BuildOutput("samples/library", "LibrarySample"),
            [],
            new Dictionary<string, string?>
            {
                ["DOTNET_ROOT"] = PeerProgram.DotnetRoot,
                ["Urls"] = "http://127.0.0.1:0",
                ["StreamProxy__Listeners__public__Address"] = "127.0.0.1:0",
                ["StreamProxy__Clusters__app1__Destinations__a__Address"] = nginx["app1"].ToString(),
            },
            folder: RepositoryFolder.Combine("samples", "library"));
        const string Listening = "Now listening on: http://";
        var line = await app.Output.WaitForAsync(l => l.Contains(Listening, StringComparison.Ordinal), TimeSpan.FromSeconds(60));
        Assert.True(line is not null, app.Error.Text);
        var pages = IPEndPoint.Parse(line[(line.IndexOf(Listening, StringComparison.Ordinal) + Listening.Length)..].Trim());

        var page = await Curl.GetAsync(pages, "/");
        Assert.Equal(200, page.Status);
        Assert.Contains("A page of the app", page.Body);
        var listener = IPEndPoint.Parse(page.Body.Split(" on ")[1]);

        var proxied = await Curl.GetAsync("https://app1.example.com/", listener, "--cacert", root);
        Assert.Equal("site=app1 sni=app1.example.com tls=TLSv1.3 host=app1.example.com", proxied.Body);

        Assert.Equal(200, (await Curl.GetAsync(pages, "/healthz")).Status);
        Assert.Equal(200, (await Curl.GetAsync(pages, "/readyz")).Status);
        Assert.Contains("kestrelstream_sessions_total", (await Curl.GetAsync(pages, "/metrics")).Body);

        app.Signal(ServerProcess.Terminate);
        Assert.Equal(0, (await app.WaitForResultAsync(TimeSpan.FromSeconds(60))).ExitCode);
    }
}
