using System.Net.Sockets;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Server;

/// <summary>The access log and the messages of the running program.</summary>
public sealed class ServerLogTests : IDisposable
{
    private const int UserSignal1 = 10;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task UserSignal_MovedAccessLog_IsWrittenAnew()
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var server = await StartAsync(ServerConfig.OneRoute(upstream.EndPoint, """ "AccessLog": { "Path": "access.log" }, """));
        await TalkAsync(server);
        await Wait.UntilAsync(() => Lines("access.log") == 1, "the first record");

        File.Move(_folder["access.log"], _folder["old.log"]);
        server.Signal(UserSignal1);

        // The signal takes its time; a record before it goes to the old file.
        for (var i = 0; i < 200 && Lines("access.log") == 0; i++)
        {
            await TalkAsync(server);
            await Task.Delay(50);
        }

        Assert.True(Lines("access.log") > 0);
        Assert.False(server.HasExited);
    }

    [Fact]
    public async Task AccessLogOnAFullDisk_SessionsGoOn()
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var server = await StartAsync(ServerConfig.OneRoute(upstream.EndPoint, """ "AccessLog": { "Path": "/dev/full" }, """));
        for (var i = 0; i < 20; i++)
        {
            await TalkAsync(server);
        }

        Assert.NotNull(await server.Error.WaitForAsync(line => line.Contains("were lost at /dev/full", StringComparison.Ordinal), Wait.Limit));
    }

    /// <summary>A FIFO whose reader never reads: the log's thread is stuck for good.</summary>
    [Fact]
    public async Task AccessLogWithAStuckReader_SessionsGoOnAndTheServerStops()
    {
        await using var upstream = ScriptedUpstream.Echo();
        var fifo = _folder["fifo"];
        Assert.Equal(0, (await ChildProcess.RunAsync("mkfifo", [fifo])).ExitCode);
        using var reader = new FileStream(fifo, FileMode.Open, FileAccess.ReadWrite);
        await using var server = await StartAsync(ServerConfig.OneRoute(upstream.EndPoint, $$""" "AccessLog": { "Path": "{{fifo}}" }, """));
        for (var i = 0; i < 300; i++)
        {
            await TalkAsync(server);
        }

        Assert.Equal(0, (await server.StopAsync()).ExitCode);
    }

    [Fact]
    public async Task Start_ListenerPortIsTaken_DoesNotSpeakOfTheAdminPort()
    {
        using var taken = Taken();
        var config = ServerConfig.OneRoute(taken.LocalEndPoint!, """ "Admin": { "Address": "127.0.0.1:0" }, """)
            .Replace("\"127.0.0.1:0\" } },", $"\"{taken.LocalEndPoint}\" }} }},", StringComparison.Ordinal);

        var result = await ServerProcess.RunAsync(new ServerOptions { ConfigPath = _folder.Write("appsettings.json", config) }, "run");

        Assert.Equal(2, result.ExitCode);
        Assert.DoesNotContain("Admin port", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_AdminPortIsTaken_SaysSo()
    {
        using var taken = Taken();
        var config = ServerConfig.OneRoute(taken.LocalEndPoint!, $$""" "Admin": { "Address": "{{taken.LocalEndPoint}}" }, """);

        var result = await ServerProcess.RunAsync(new ServerOptions { ConfigPath = _folder.Write("appsettings.json", config) }, "run");

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("Admin port: ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_Says_WhatWasLoadedAndWhatIsWorthActingOn()
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var server = await StartAsync(ServerConfig.OneRoute(upstream.EndPoint, """ "AccessLog": { "Path": "access.log" }, "Admin": { "Address": "*:0", "Token": "a-token-of-twenty-letters" }, """));

        Assert.NotNull(await server.Error.WaitForAsync(line => line.Contains("[111] KestrelStream ", StringComparison.Ordinal) && line.EndsWith(_folder["appsettings.json"], StringComparison.Ordinal), Wait.Limit));
        foreach (var part in new[] { "[107] Engine ", "[100] Configuration generation 1 is in force: 1 listeners, 1 routes, 1 clusters", $"[502] Access log: Json to {_folder["access.log"]}", "[513] The admin port at *:0 is open to other machines" })
        {
            Assert.NotNull(await server.Error.WaitForAsync(line => line.Contains(part, StringComparison.Ordinal), Wait.Limit));
        }

        // OpenSSL is looked for when a route ends TLS; this one's does not.
        Assert.DoesNotContain("TLS ends in", server.Error.Text, StringComparison.Ordinal);
    }

    private static Socket Taken()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        socket.Listen();
        return socket;
    }

    private static async Task TalkAsync(ServerProcess server)
    {
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(server.Listener("public"));
        await client.SendAllAsync(new byte[10]);
        await client.ReceiveExactlyAsync(10);
    }

    private Task<ServerProcess> StartAsync(string config)
        => ServerProcess.StartAsync(new ServerOptions { ConfigPath = _folder.Write("appsettings.json", config) });

    private int Lines(string file) => File.Exists(_folder[file]) ? File.ReadAllLines(_folder[file]).Length : 0;
}
