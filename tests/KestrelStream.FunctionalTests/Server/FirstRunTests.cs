using System.Net;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Server;

/// <summary>What someone sees who has just cloned the repository: the appsettings.json of its root.</summary>
public sealed class FirstRunTests
{
    [Fact]
    public async Task FirstRun_RootConfig_ServesItsThreeNames()
    {
        using var folder = new TempFolder();
        var (app1, app2, www) = (LoopbackPort.TakeEndPoint().ToString(), LoopbackPort.TakeEndPoint().ToString(), LoopbackPort.TakeEndPoint().ToString());
        await using var server = await ServerProcess.StartAsync(new ServerOptions
        {
            ConfigPath = RepositoryFolder.Combine("appsettings.json"),
            Overrides = new Dictionary<string, string>
            {
                ["StreamProxy:Admin:Address"] = "127.0.0.1:0",
                ["StreamProxy:Listeners:public:Address"] = "127.0.0.1:0",
                ["StreamProxy:Certificates:www:Path"] = folder["www.pem"],
                ["StreamProxy:Certificates:www:KeyPath"] = folder["www.key"],
                ["StreamProxy:Clusters:app1:Destinations:a:Address"] = app1,
                ["StreamProxy:Clusters:app2:Destinations:a:Address"] = app2,
                ["StreamProxy:Clusters:www:Destinations:a:Address"] = www,
                ["Demo:TlsBackends:app1"] = app1,
                ["Demo:TlsBackends:app2"] = app2,
                ["Demo:PlainBackends:www"] = www,
                ["Demo:Certificate:Path"] = folder["www.pem"],
                ["Demo:Certificate:KeyPath"] = folder["www.key"],
            },
        });

        var endPoint = server.Listener("public");
        foreach (var name in new[] { "app1", "app2", "www" })
        {
            var answer = await Curl.GetAsync($"https://{name}.localhost/", endPoint, "--insecure");
            Assert.Equal(200, answer.Status);
            Assert.Contains($"backend {name} ", answer.Body);
        }

        // The passed-through names show the backends' own certificates, the terminated one that of the file.
        Assert.Equal("CN=app1.localhost", await SubjectAsync(endPoint, "app1.localhost"));
        Assert.Equal("CN=app2.localhost", await SubjectAsync(endPoint, "app2.localhost"));
        var terminated = await Curl.GetAsync("https://www.localhost/", endPoint, "--cacert", folder["www.pem"]);
        Assert.Equal(0, terminated.ExitCode);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder["www.key"]));

        Assert.Equal(200, (await Curl.GetAsync(server.Admin, "/healthz")).Status);
        Assert.Contains("kestrelstream_sessions_total{", (await Curl.GetAsync(server.Admin, "/metrics")).Body);
        Assert.Contains(server.Output.Lines, line => line.Contains("curl -k https://app1.localhost:8443/", StringComparison.Ordinal));
        Assert.Equal(0, (await server.StopAsync()).ExitCode);
    }

    [Fact]
    public async Task FirstRun_CheckOfTheRootConfig_HasNothingToSay()
    {
        using var folder = new TempFolder();

        var result = await ServerProcess.RunAsync(
            new ServerOptions
            {
                ConfigPath = RepositoryFolder.Combine("appsettings.json"),
                Overrides = new Dictionary<string, string>
                {
                    ["StreamProxy:Certificates:www:Path"] = folder["www.pem"],
                    ["StreamProxy:Certificates:www:KeyPath"] = folder["www.key"],
                    ["Demo:Certificate:Path"] = folder["www.pem"],
                    ["Demo:Certificate:KeyPath"] = folder["www.key"],
                },
            },
            "check");

        Assert.True(result.ExitCode == 0, result.ToString());
    }

    private static async Task<string> SubjectAsync(IPEndPoint endPoint, string name)
    {
        using var certificate = OpenSslClient.PeerCertificate(await OpenSslClient.HandshakeAsync(endPoint, name));
        return certificate.Subject;
    }
}
