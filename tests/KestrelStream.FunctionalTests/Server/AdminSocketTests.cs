using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Server;

/// <summary>Changes over the running program's admin port, with curl as an operator would.</summary>
public sealed class AdminSocketTests : IAsyncLifetime
{
    private const string Drain = "/api/clusters/c/destinations/a";
    private readonly TempFolder _folder = new();
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Echo();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task UnixSocket_WithoutAToken_FilePermissionsDecide()
    {
        var socket = _folder["admin.sock"];
        await using var server = await StartAsync($$""" "Admin": { "Address": "unix:{{socket}}" }, """);

        Assert.Equal("200", await CurlAsync("--unix-socket", socket, "-X", "POST", "-H", "Content-Type: application/json", "-d", """{"state":"drain"}""", "http://localhost" + Drain));
        Assert.Equal("409", await CurlAsync("--unix-socket", socket, "-X", "POST", "http://localhost/api/config/rollback"));
        Assert.Contains("API: unix socket DestinationSet c/a:", server.Error.Text, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(socket) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute));
    }

    [Fact]
    public async Task UnixSocket_WithAToken_NeedsIt()
    {
        var socket = _folder["admin.sock"];
        await using var server = await StartAsync($$""" "Admin": { "Address": "unix:{{socket}}", "Token": "a-token-of-twenty-letters" }, """);
        string[] drain = ["--unix-socket", socket, "-X", "POST", "-H", "Content-Type: application/json", "-d", """{"state":"drain"}""", "http://localhost" + Drain];
        Assert.Equal("401", await CurlAsync(drain));
        Assert.Equal("200", await CurlAsync(["-H", "Authorization: Bearer a-token-of-twenty-letters", .. drain]));
    }

    [Fact]
    public async Task Port_WithoutAToken_IsForbidden()
    {
        await using var server = await StartAsync(""" "Admin": { "Address": "127.0.0.1:0" }, """);
        Assert.Equal("403", await CurlAsync("-X", "POST", "-H", "Content-Type: application/json", "-d", """{"state":"drain"}""", $"http://{server.Admin}{Drain}"));
    }

    [Fact]
    public async Task Token_WithoutAnAddress_IsAMistake()
    {
        var file = _folder.Write("appsettings.json", ServerConfig.OneRoute(_upstream.EndPoint, """ "Admin": { "Token": "a-token-of-twenty-letters" }, """));
        var result = await ServerProcess.RunAsync(new ServerOptions { ConfigPath = file }, "check");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("StreamProxy:Admin:Address: is missing or empty", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("twenty", result.Error, StringComparison.Ordinal);
    }

    private Task<ServerProcess> StartAsync(string admin)
        => ServerProcess.StartAsync(new ServerOptions { ConfigPath = _folder.Write("appsettings.json", ServerConfig.OneRoute(_upstream.EndPoint, admin)) });

    /// <summary>The status.</summary>
    private static async Task<string> CurlAsync(params string[] arguments)
    {
        await using var curl = ChildProcess.Start(
            PeerProgram.Find("curl", "curl"), ["--silent", "--noproxy", "*", "--max-time", "50", "--output", "/dev/null", "--write-out", "%{http_code}", .. arguments]);
        return (await curl.WaitForResultAsync(Wait.Limit)).Output.Trim();
    }
}
