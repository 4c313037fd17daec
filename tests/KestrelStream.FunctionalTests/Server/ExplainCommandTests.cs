using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Server;

/// <summary><c>kestrelstream explain</c>: the same answer as the API of a proxy that runs the file.</summary>
public sealed class ExplainCommandTests : IDisposable
{
    private const string Config = """
        {
          "StreamProxy": {
            "Listeners": { "public": { "Address": "127.0.0.1:0" }, "other": { "Address": "127.0.0.1:0" } },
            "Routes": {
              "app": { "Match": { "Sni": ["*.example.com"], "Alpn": ["h2"] }, "ClusterId": "c" },
              "rest": { "Action": "Reject" }
            },
            "Clusters": { "c": { "Destinations": { "a": { "Address": "127.0.0.1:9" }, "spare": { "Address": "127.0.0.2:9", "Backup": true } } } },
            "Admin": { "Address": "127.0.0.1:0" }
          }
        }
        """;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Explain_KnownName_TellsTheWholeWay()
    {
        var result = await RunAsync("--listener", "public", "--sni", "a.example.com", "--alpn", "h2", "--client", "203.0.113.9");
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("* app   name fits *.example.com, and the other conditions hold", result.Output, StringComparison.Ordinal);
        Assert.Contains("* a      chosen by RoundRobin", result.Output, StringComparison.Ordinal);
        Assert.Contains("+ spare  could be used, but is a backup, and a is there", result.Output, StringComparison.Ordinal);
        Assert.EndsWith("=> goes to a of c by route app", result.Output.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_AsJson_IsTheAnswerOfTheApi()
    {
        var result = await RunAsync("--listener", "public", "--sni", "a.example.com", "--alpn", "h2", "--json");
        await using var server = await ServerProcess.StartAsync(new ServerOptions { ConfigPath = _folder["appsettings.json"] });
        using var client = new HttpClient();
        Assert.Equal(await client.GetStringAsync($"http://{server.Admin}/api/explain?listener=public&sni=a.example.com&alpn=h2"), result.Output.TrimEnd());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Explain_CapturedHello_GoesByItsBytes(bool isHex)
    {
        var bytes = ClientHelloBuilder.Browser("b.example.com").Build();
        var file = isHex ? _folder.Write("hello.txt", Convert.ToHexString(bytes)) : _folder.Write("hello.bin", bytes);
        var result = await RunAsync("--listener", "public", "--hello", file);
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("b.example.com, ALPN h2 http/1.1", result.Output, StringComparison.Ordinal);
        Assert.Contains("=> goes to a of c by route app", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_NobodyTakesIt_SaysHowItEnds()
    {
        var result = await RunAsync("--listener", "public", "--sni", "else.example.net");
        Assert.Contains("- app   name \"else.example.net\" fits none of *.example.com", result.Output, StringComparison.Ordinal);
        Assert.EndsWith("=> ends as Rejected by route rest", result.Output.TrimEnd(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--listener is missing", "--sni", "a.example.com")]
    [InlineData("\"none\" is not a listener; valid: other, public", "--listener", "none")]
    [InlineData("sni is not a server name", "--listener", "public", "--sni", "a..b")]
    [InlineData("client is not an IP address", "--listener", "public", "--client", "somebody")]
    [InlineData("does not exist", "--listener", "public", "--hello", "nothing.bin")]
    public async Task Explain_BadQuestion_IsRefused(string message, params string[] arguments)
    {
        var result = await RunAsync(arguments);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_BadFile_HasItsErrors()
    {
        var path = _folder.Write("bad.json", """{ "StreamProxy": { "Nothing": 1 } }""");
        var result = await ServerProcess.RunAsync(new ServerOptions { ConfigPath = path }, "explain", "--listener", "public");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("StreamProxy:Nothing", result.Error, StringComparison.Ordinal);
    }

    private Task<ProcessResult> RunAsync(params string[] arguments)
        => ServerProcess.RunAsync(new ServerOptions { ConfigPath = _folder.Write("appsettings.json", Config) }, ["explain", .. arguments]);
}
