using System.Net;

namespace KestrelStream.TestKit.Peers;

/// <summary>A real Redis on a free port of 127.0.0.1, in memory only.</summary>
public sealed class RedisServer : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private ChildProcess? _process;

    private RedisServer()
    {
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint EndPoint { get; private set; } = LoopbackPort.TakeEndPoint();

    /// <summary>The running server, to be stopped or paused.</summary>
    public ChildProcess Process => _process!;

    /// <summary>Starts one and waits until it takes connections.</summary>
    /// <param name="password">Null = none is needed.</param>
    public static async Task<RedisServer> StartAsync(string? password = null)
    {
        var server = new RedisServer();
        try
        {
            for (var attempt = 1; !await server.TryStartAsync(password); attempt++)
            {
                if (attempt == 3)
                {
                    throw new InvalidOperationException($"Redis has not started:\n{server._process!.Output.Text}");
                }

                server.EndPoint = LoopbackPort.TakeEndPoint();
            }

            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _folder.Dispose();
    }

    private async Task<bool> TryStartAsync(string? password)
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        string[] authentication = password is null ? [] : ["--requirepass", password];
        _process = ChildProcess.Start(
            PeerProgram.Find("redis-server", "redis-server"),
            ["--bind", "127.0.0.1", "--port", $"{EndPoint.Port}", "--save", "", "--appendonly", "no", "--daemonize", "no", "--dir", _folder.Path, .. authentication]);
        return await LoopbackPort.WaitUntilOpenAsync(EndPoint, () => _process.HasExited);
    }
}
