using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Server;

/// <summary><c>kestrelstream top</c> against a server that runs.</summary>
public sealed class TopCommandTests : IDisposable
{
    private const int Interrupt = 2;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Top_Once_PrintsMembersAndWhoMovesMost()
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var server = await StartAsync(upstream);
        using var client = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        await client.ConnectAsync(server.Listener("public"));
        using var stop = new CancellationTokenSource();
        var talking = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await client.SendAllAsync(new byte[5000]);
                await client.ReceiveExactlyAsync(5000);
                await Task.Delay(20);
            }
        });

        var result = await ServerProcess.RunAsync(new ServerOptions(), "top", "--url", $"http://{server.Admin}", "--once");
        await stop.CancelAsync();
        await talking;
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Matches("1 sessions, .* 1 of 1 members up", result.Output);
        Assert.Matches(@"c/a +up +1 ", result.Output);
        Assert.Matches(@"SESSION +CLIENT(.|\n)* c/a +\d", result.Output);
        Assert.DoesNotContain('\e', result.Output);
    }

    [Fact]
    public async Task Top_UnixSocketOfTheFile_IsFound()
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = Config(upstream, "unix:" + _folder["admin.sock"]);
        await using var server = await ServerProcess.StartAsync(new ServerOptions { ConfigPath = config });
        var result = await ServerProcess.RunAsync(new ServerOptions { ConfigPath = config }, "top", "--once");
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("unix:", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Top_OnAPipe_GoesOnUntilItIsInterrupted()
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var server = await StartAsync(upstream);
        await using var top = ChildProcess.Start(
            PeerProgram.Find("env", "coreutils"),
            ["--default-signal=INT", ServerProcess.Program, "top", "--url", $"http://{server.Admin}"],
            new Dictionary<string, string?> { ["DOTNET_ROOT"] = PeerProgram.DotnetRoot });
        for (var (blocks, seen) = (0, 0); blocks < 2; blocks++)
        {
            Assert.NotNull(await top.Output.WaitForAsync(line => line.StartsWith("KestrelStream", StringComparison.Ordinal), Wait.Limit, seen));
            seen = top.Output.Lines.Count;
        }

        top.Signal(Interrupt);
        var result = await top.WaitForResultAsync(Wait.Limit);
        Assert.True(result.ExitCode == 0, result.Error);
    }

    [Theory]
    [InlineData(2, "http://127.0.0.1:9")]
    [InlineData(1, "nowhere")]
    public async Task Top_NobodyThere_SaysSo(int exitCode, string url)
    {
        var result = await ServerProcess.RunAsync(new ServerOptions(), "top", "--once", "--url", url);
        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(url, result.Error, StringComparison.Ordinal);
    }

    private Task<ServerProcess> StartAsync(ScriptedUpstream upstream) => ServerProcess.StartAsync(new ServerOptions { ConfigPath = Config(upstream, "127.0.0.1:0") });

    private string Config(ScriptedUpstream upstream, string admin)
        => _folder.Write("appsettings.json", ServerConfig.OneRoute(upstream.EndPoint, $$"""
            "Admin": { "Address": "{{admin}}" },
            """));
}
