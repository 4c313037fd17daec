using System.Net;
using System.Net.Sockets;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Server;

/// <summary>Commands, exit codes and what is said on which stream.</summary>
public sealed class CommandLineTests : IDisposable
{
    private static readonly IPEndPoint s_destination = new(IPAddress.Loopback, 9);

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Version_Prints_OneLineWithTheVersion()
    {
        var result = await ServerProcess.RunAsync(new ServerOptions(), "--version");

        Assert.Equal(0, result.ExitCode);
        Assert.Matches(@"^\d+\.\d+\.\d+", result.Output);
    }

    [Fact]
    public async Task Help_Prints_TheCommandsAndTheOption()
    {
        var result = await ServerProcess.RunAsync(new ServerOptions(), "--help");

        Assert.Equal(0, result.ExitCode);
        Assert.Contains("run", result.Output);
        Assert.Contains("check", result.Output);
        Assert.Contains("--config", result.Output);
    }

    [Fact]
    public async Task Unknown_Command_IsRefused()
    {
        var result = await ServerProcess.RunAsync(new ServerOptions(), "serve");

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("serve", result.Error);
    }

    [Theory]
    [InlineData("run")]
    [InlineData("check")]
    public async Task Config_MissingFile_CannotStartAndIsNamed(string command)
    {
        var path = _folder["nothing.json"];

        var result = await RunAsync(command, path);

        Assert.Equal(command == "run" ? 2 : 1, result.ExitCode);
        Assert.Contains(path, result.Error);
    }

    [Fact]
    public async Task Run_WithoutArguments_TakesAppsettingsOfTheWorkingFolder()
    {
        var result = await ServerProcess.RunAsync(new ServerOptions { Folder = _folder.Path });

        Assert.Equal(2, result.ExitCode);
        Assert.Contains(_folder["appsettings.json"], result.Error);
    }

    [Theory]
    [InlineData("run")]
    [InlineData("check")]
    public async Task Config_BrokenJson_IsInvalidAndSaysWhere(string command)
    {
        var path = _folder.Write("appsettings.json", "{\n  \"StreamProxy\": {\n    \"Listeners\" oops\n");

        var result = await RunAsync(command, path);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(path, result.Error);
        Assert.Contains("LineNumber: 2", result.Error);
        Assert.DoesNotContain("   at ", result.Error);
        Assert.DoesNotContain("Ready", result.Output);
    }

    [Theory]
    [InlineData("run")]
    [InlineData("check")]
    public async Task Config_WithoutSection_IsInvalid(string command)
    {
        var result = await RunAsync(command, _folder.Write("appsettings.json", "{ }"));

        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith("StreamProxy: ", result.Error);
    }

    [Theory]
    [InlineData("run")]
    [InlineData("check")]
    public async Task Config_SeveralMistakes_AreAllReportedAsPathAndMessage(string command)
    {
        var path = _folder.Write("appsettings.json", """
            {
              "StreamProxy": {
                "Listeners": { "public": { "Address": "127.0.0.1:99999", "Colour": "red" } },
                "Routes": { "app1": { "ClusterId": "ap1" } },
                "Clusters": { "app1": { "LoadBalancingPolicy": "Best", "Destinations": { "a": { "Address": "10.0.0.11:443" } } } }
              }
            }
            """);

        var result = await RunAsync(command, path);

        Assert.Equal(1, result.ExitCode);
        var lines = result.Error.Split('\n');
        Assert.Contains(lines, line => line.StartsWith("StreamProxy:Listeners:public:Address: ", StringComparison.Ordinal) && line.Contains("127.0.0.1:99999"));
        Assert.Contains(lines, line => line.StartsWith("StreamProxy:Listeners:public:Colour: ", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("StreamProxy:Routes:app1:ClusterId: ", StringComparison.Ordinal) && line.Contains("ap1") && line.Contains("app1"));
        Assert.Contains(lines, line => line.StartsWith("StreamProxy:Clusters:app1:LoadBalancingPolicy: ", StringComparison.Ordinal) && line.Contains("RoundRobin"));
        Assert.Equal(4, lines.Length);
    }

    [Theory]
    [InlineData("run")]
    [InlineData("check")]
    public async Task Certificate_MissingFile_IsInvalidAndNamesRouteCertificateAndFile(string command)
    {
        var path = _folder.Write("appsettings.json", Terminated("missing.pem", "missing.key"));

        var result = await RunAsync(command, path);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("StreamProxy:Certificates:site", result.Error);
        Assert.Contains("shop", result.Error);
        Assert.Contains(_folder["missing.pem"], result.Error);
    }

    [Fact]
    public async Task Check_KeyOfAnotherCertificate_IsInvalid()
    {
        TestCertificates.Shared.Issue("a.example.com").WritePem(_folder, "a.pem", "a.key");
        TestCertificates.Shared.Issue("b.example.com").WritePem(_folder, "b.pem", "b.key");

        var result = await RunAsync("check", _folder.Write("appsettings.json", Terminated("a.pem", "b.key")));

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("StreamProxy:Certificates:site", result.Error);
    }

    [Fact]
    public async Task Check_GoodFile_IsValidAlsoWhileItsPortIsInUse()
    {
        TestCertificates.Shared.Issue("a.example.com").WritePem(_folder, "a.pem", "a.key");
        using var running = Occupy();
        var config = Terminated("a.pem", "a.key").Replace("127.0.0.1:0", running.LocalEndPoint!.ToString(), StringComparison.Ordinal);

        var result = await RunAsync("check", _folder.Write("appsettings.json", config));

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Empty(result.Error);
    }

    [Fact]
    public async Task Check_AddressOfAnotherMachine_IsInvalid()
    {
        var config = ServerConfig.OneRoute(s_destination).Replace("127.0.0.1:0", "192.0.2.1:443", StringComparison.Ordinal);

        var result = await RunAsync("check", _folder.Write("appsettings.json", config));

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("StreamProxy:Listeners:public:Address: ", result.Error);
    }

    [Fact]
    public async Task Run_PortInUse_CannotStartAndNamesListenerAndAddress()
    {
        using var other = Occupy();
        var config = ServerConfig.OneRoute(s_destination).Replace("127.0.0.1:0", other.LocalEndPoint!.ToString(), StringComparison.Ordinal);

        var result = await RunAsync("run", _folder.Write("appsettings.json", config));

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("\"public\"", result.Error);
        Assert.Contains(other.LocalEndPoint.ToString()!, result.Error);
        Assert.DoesNotContain("   at ", result.Error);
        Assert.DoesNotContain("Ready", result.Output);
    }

    [Fact]
    public async Task Run_AdminPortInUse_CannotStartAndNamesTheAddress()
    {
        using var other = Occupy();
        var config = ServerConfig.OneRoute(s_destination, $$""" "Admin": { "Address": "{{other.LocalEndPoint}}" }, """);

        var result = await RunAsync("run", _folder.Write("appsettings.json", config));

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("dmin", result.Error);
        Assert.Contains(other.LocalEndPoint!.ToString()!, result.Error);
        Assert.DoesNotContain("   at ", result.Error);
        Assert.DoesNotContain("Ready", result.Output);
    }

    [Fact]
    public async Task Run_EventLoopThatTheKernelRefuses_CannotStartAndSaysWhy()
    {
        var path = _folder.Write("appsettings.json", ServerConfig.OneRoute(s_destination, """ "Engine": "EventLoop", """));

        var result = await ServerProcess.RunAsync(new ServerOptions { ConfigPath = path, RefuseReusePort = true }, "run");

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("EventLoop cannot run here: the kernel refuses SO_REUSEPORT", result.Error);
    }

    [Fact]
    public async Task Run_AutoWhereTheKernelRefuses_FallsBackWithOneWarning()
    {
        await using var upstream = ScriptedUpstream.Echo();
        var path = _folder.Write("appsettings.json", ServerConfig.OneRoute(upstream.EndPoint));

        await using var server = await ServerProcess.StartAsync(new ServerOptions { ConfigPath = path, RefuseReusePort = true });
        using var client = await ConnectAsync(server.Listener("public"));
        await client.SendAllAsync("x"u8.ToArray());

        Assert.Equal("x"u8.ToArray(), await client.ReceiveExactlyAsync(1));
        Assert.Single(server.Error.Lines, line => line.Contains("warn", StringComparison.Ordinal) && line.Contains("SO_REUSEPORT", StringComparison.Ordinal));
        Assert.Contains(server.Error.Lines, line => line.Contains("Engine Sockets", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Run_NameThatDoesNotResolve_StartsAndServesTheOthers()
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = ServerConfig.OneRoute(upstream.EndPoint).Replace(
            "\"Clusters\": {", "\"Clusters\": { \"lost\": { \"Destinations\": { \"a\": { \"Address\": \"nowhere.invalid:443\" } } },", StringComparison.Ordinal);

        await using var server = await ServerProcess.StartAsync(new ServerOptions { ConfigPath = _folder.Write("appsettings.json", config) });

        using var client = await ConnectAsync(server.Listener("public"));
        await client.SendAllAsync("hello"u8.ToArray());
        Assert.Equal("hello"u8.ToArray(), await client.ReceiveExactlyAsync(5));
        Assert.NotNull(await server.Error.WaitForAsync(line => line.Contains("nowhere.invalid", StringComparison.Ordinal), Wait.Limit));
    }

    [Fact]
    public async Task Run_Start_PrintsALineAListenerThenReady()
    {
        var config = ServerConfig.OneRoute(s_destination).Replace(
            "\"Listeners\": {", "\"Listeners\": { \"second\": { \"Address\": \"[::1]:0\" },", StringComparison.Ordinal);

        await using var server = await ServerProcess.StartAsync(new ServerOptions { ConfigPath = _folder.Write("appsettings.json", config) });

        var lines = server.Output.Lines;
        Assert.Equal(3, lines.Count);
        Assert.Matches(@"^Listener public: 127\.0\.0\.1:\d+$", lines[0]);
        Assert.Matches(@"^Listener second: \[::1\]:\d+$", lines[1]);
        Assert.StartsWith("Ready", lines[2]);
        Assert.Equal(0, (await server.StopAsync()).ExitCode);
    }

    private static async Task<Socket> ConnectAsync(IPEndPoint endPoint)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(endPoint);
        return socket;
    }

    private static Socket Occupy()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        return socket;
    }

    private static Task<ProcessResult> RunAsync(string command, string path) => ServerProcess.RunAsync(new ServerOptions { ConfigPath = path }, command);

    private static string Terminated(string path, string keyPath) => $$"""
        {
          "StreamProxy": {
            "Listeners": { "public": { "Address": "127.0.0.1:0" } },
            "Certificates": { "site": { "Path": "{{path}}", "KeyPath": "{{keyPath}}" } },
            "Routes": { "shop": { "Tls": { "Mode": "Terminate", "Certificates": [ "site" ] }, "ClusterId": "c" } },
            "Clusters": { "c": { "Destinations": { "a": { "Address": "127.0.0.1:9" } } } }
          }
        }
        """;
}
