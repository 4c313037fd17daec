using System.Net;

namespace KestrelStream.TestKit.Peers;

/// <summary>A real server on a port of 127.0.0.1 that it is told, with a folder of its own. Another program may take the port before the server does: then it starts again on another one.</summary>
public abstract class PeerServer : IAsyncDisposable
{
    private const int MostAttempts = 3;

    private ChildProcess? _process;

    /// <summary>Where it listens.</summary>
    public IPEndPoint EndPoint { get; private set; } = LoopbackPort.TakeEndPoint();

    /// <summary>The running server, to be stopped or paused.</summary>
    public ChildProcess Process => _process!;

    protected TempFolder Folder { get; } = new();

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    protected static async Task<T> StartAsync<T>(T server)
        where T : PeerServer
    {
        try
        {
            await server.InitializeAsync();
            for (var attempt = 1; !await server.TryStartAsync(); attempt++)
            {
                if (attempt == MostAttempts)
                {
                    throw new InvalidOperationException($"{typeof(T).Name} has not started:\n{server.Process.Output.Text}\n{server.Process.Error.Text}");
                }

                await server.Process.DisposeAsync();
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

    /// <summary>Once, before the first attempt.</summary>
    protected virtual Task InitializeAsync() => Task.CompletedTask;

    /// <summary>Starts the program on <see cref="EndPoint"/>.</summary>
    protected abstract ChildProcess Launch();

    /// <summary>Whether it takes connections. False = it has ended.</summary>
    protected virtual Task<bool> WaitUntilReadyAsync() => LoopbackPort.WaitUntilOpenAsync(EndPoint, () => Process.HasExited);

    private Task<bool> TryStartAsync()
    {
        _process = Launch();
        return WaitUntilReadyAsync();
    }
}
