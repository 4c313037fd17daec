using System.Net.Sockets;
using System.Security.Cryptography;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Server;

/// <summary>SIGTERM on the running program: drain, then exit 0.</summary>
public sealed class ServerShutdownTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Terminate_RunningSession_GetsItsLastBytesBeforeTheEnd()
    {
        var content = RandomNumberGenerator.GetBytes(3_000_000);
        var mayFinish = new TaskCompletionSource();
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            await socket.ReceiveExactlyAsync(1);
            await mayFinish.Task;
            await socket.SendAllAsync(content);
            socket.Shutdown(SocketShutdown.Send);
            await socket.ReceiveToEndAsync();
        });
        await using var server = await ServerProcess.StartAsync(new ServerOptions
        {
            ConfigPath = _folder.Write("appsettings.json", ServerConfig.OneRoute(upstream.EndPoint, """ "Admin": { "Address": "127.0.0.1:0" }, """)),
        });
        using var client = await ConnectAsync(server);
        await client.SendAllAsync(new byte[1]);
        await Wait.UntilAsync(() => upstream.Count == 1, "the session");
        Assert.Equal(200, (await Curl.GetAsync(server.Admin, "/readyz")).Status);

        server.Signal(ServerProcess.Terminate);

        // Not ready, and nobody gets in, while the session goes on and the admin port answers.
        await server.Error.WaitForAsync(line => line.Contains("Draining", StringComparison.Ordinal), Wait.Limit);
        Assert.Equal(503, (await Curl.GetAsync(server.Admin, "/readyz")).Status);
        Assert.Equal(SocketError.ConnectionRefused, (await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(server))).SocketErrorCode);
        Assert.False(server.HasExited);

        mayFinish.SetResult();
        Assert.Equal(SHA256.HashData(content), SHA256.HashData(await client.ReceiveToEndAsync()));
        client.Dispose();
        Assert.Equal(0, (await server.WaitForExitAsync()).ExitCode);
    }

    [Fact]
    public async Task Terminate_SessionThatDoesNotEnd_IsResetAfterTheTimeout()
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var server = await ServerProcess.StartAsync(new ServerOptions
        {
            ConfigPath = _folder.Write("appsettings.json", ServerConfig.OneRoute(
                upstream.EndPoint, """ "ShutdownTimeout": "00:00:01", "AccessLog": { "Path": "-", "Format": "Json" }, """)),
        });
        using var client = await ConnectAsync(server);
        await client.SendAllAsync(new byte[1]);
        await client.ReceiveExactlyAsync(1);

        server.Signal(ServerProcess.Terminate);

        Assert.True(await client.EndsWithResetAsync());
        var result = await server.WaitForExitAsync();
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("\"end_reason\":\"DrainTimeout\"", result.Output);
    }

    [Fact]
    public async Task Terminate_Twice_DoesNotWaitForSessions()
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var server = await ServerProcess.StartAsync(new ServerOptions
        {
            ConfigPath = _folder.Write("appsettings.json", ServerConfig.OneRoute(upstream.EndPoint, """ "ShutdownTimeout": "01:00:00", """)),
        });
        using var client = await ConnectAsync(server);
        await client.SendAllAsync(new byte[1]);
        await client.ReceiveExactlyAsync(1);

        server.Signal(ServerProcess.Terminate);
        await server.Error.WaitForAsync(line => line.Contains("Draining", StringComparison.Ordinal), Wait.Limit);
        server.Signal(ServerProcess.Terminate);

        Assert.True(await client.EndsWithResetAsync());
        Assert.Equal(0, (await server.WaitForExitAsync()).ExitCode);
    }

    [Fact]
    public async Task Interrupt_WithoutSessions_EndsAtOnce()
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var server = await ServerProcess.StartAsync(new ServerOptions
        {
            ConfigPath = _folder.Write("appsettings.json", ServerConfig.OneRoute(upstream.EndPoint)),
        });
        const int Interrupt = 2;

        server.Signal(Interrupt);

        Assert.Equal(0, (await server.WaitForExitAsync()).ExitCode);
    }

    private static async Task<Socket> ConnectAsync(ServerProcess server)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server.Listener("public"));
        return socket;
    }
}
