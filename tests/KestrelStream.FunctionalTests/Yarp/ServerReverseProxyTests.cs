using System.Net;
using System.Net.Sockets;
using System.Text;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Yarp;

/// <summary>The server with a section <c>ReverseProxy</c> in its file.</summary>
public sealed class ServerReverseProxyTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly string _root;

    public ServerReverseProxyTests()
    {
        TestCertificates.Shared.Issue("www.example.com").WritePem(_folder);
        _root = _folder.Write("root.pem", TestCertificates.Shared.Root.ExportCertificatePem());
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("Sockets")]
    [InlineData("EventLoop")]
    public async Task Site_IsRoutedByPath_AndFileChangesAreFollowed(string engine)
    {
        await using var one = await HttpBackend.StartAsync("one");
        await using var two = await HttpBackend.StartAsync("two");
        await using var server = await StartAsync(Config(ReverseProxy(one.Url, two.Url), engine));
        var listener = server.Listener("public");

        Assert.Equal("one /one/a 127.0.0.1", (await GetAsync(listener, "one/a")).Body);
        Assert.Equal("two /two/a 127.0.0.1", (await GetAsync(listener, "two/a", "--http2")).Body);
        Assert.Equal(404, (await GetAsync(listener, "metrics")).Status);
        Assert.Equal(404, (await GetAsync(listener, "api/config")).Status);
        Assert.Contains("kestrelstream_sessions_total{listener=\"public\",route=\"site\",cluster=\"\",end_reason=\"Completed\"} 4", (await Curl.GetAsync(server.Admin, "/metrics")).Body);

        _folder.Write("appsettings.json", Config(ReverseProxy(two.Url, one.Url), engine));
        await server.ReloadAsync();
        for (var body = ""; body != "two /one/a 127.0.0.1"; body = (await GetAsync(listener, "one/a")).Body)
        {
            await Task.Delay(50);
        }

        Assert.Equal(0, (await server.StopAsync()).ExitCode);
    }

    [Fact]
    public async Task RouteByName_UsesYarpsCluster_AndItAppearsWithAReload()
    {
        await using var one = ScriptedUpstream.Named("one", IPAddress.Loopback, 0);
        await using var two = ScriptedUpstream.Named("two", IPAddress.Loopback, 0);
        const string Routes = """ "all": { "ClusterId": "other" } """;
        await using var server = await StartAsync(Config("", "Auto", Routes.Replace("other", "own"), $$""" , "Clusters": { "own": { "Destinations": { "a": { "Address": "{{one.EndPoint}}" } } } } """));
        Assert.Equal("one", await AskAsync(server));

        _folder.Write("appsettings.json", Config($$"""{ "Clusters": { "other": { "Destinations": { "a": { "Address": "tcp://{{two.EndPoint}}" } } } } }""", "Auto", Routes));
        Assert.True(await server.ReloadAsync(), server.Error.Text);

        Assert.Equal("two", await AskAsync(server));
    }

    [Theory]
    [InlineData("", "StreamProxy:Routes:site:Action: \"Http\" is not possible here: ")]
    [InlineData("""{ "Routes": { "r": { "ClusterId": "nowhere" } } }""", "ReverseProxy: ")]
    public async Task Mistake_IsFoundByCheckAndRun(string reverseProxy, string error)
    {
        var path = _folder.Write("appsettings.json", Config(reverseProxy, "Auto"));
        foreach (var command in new[] { "check", "run" })
        {
            var result = await ServerProcess.RunAsync(new ServerOptions { ConfigPath = path }, command);

            Assert.Equal(1, result.ExitCode);
            Assert.Contains(error, result.Error);
        }
    }

    private static string ReverseProxy(string one, string two) => $$"""
        {
          "Routes": {
            "one": { "ClusterId": "one", "Match": { "Path": "/one/{**rest}" } },
            "two": { "ClusterId": "two", "Match": { "Path": "/two/{**rest}" } }
          },
          "Clusters": { "one": { "Destinations": { "a": { "Address": "{{one}}" } } }, "two": { "Destinations": { "a": { "Address": "{{two}}" } } } }
        }
        """;

    private static string Config(string reverseProxy, string engine, string? routes = null, string more = "") => $$"""
        {
          "StreamProxy": {
            "Engine": "{{engine}}",
            "Admin": { "Address": "127.0.0.1:0" },
            "Listeners": { "public": { "Address": "127.0.0.1:0" } },
            "Certificates": { "www": { "Path": "fullchain.pem", "KeyPath": "privkey.pem" } },
            "Routes": { {{routes ?? """ "site": { "Match": { "Sni": [ "www.example.com" ] }, "Tls": { "Mode": "Terminate", "Certificates": [ "www" ] }, "Action": "Http" } """}} }
            {{more}}
          }
          {{(reverseProxy.Length == 0 ? "" : ", \"ReverseProxy\": " + reverseProxy)}}
        }
        """;

    private Task<ServerProcess> StartAsync(string config) => ServerProcess.StartAsync(new ServerOptions { ConfigPath = _folder.Write("appsettings.json", config) });

    private Task<CurlResult> GetAsync(IPEndPoint listener, string path, string option = "--http1.1")
        => Curl.GetAsync($"https://www.example.com/{path}", listener, "--cacert", _root, option);

    private static async Task<string> AskAsync(ServerProcess server)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server.Listener("public"));
        socket.Shutdown(SocketShutdown.Send);
        return Encoding.ASCII.GetString(await socket.ReceiveToEndAsync());
    }
}
