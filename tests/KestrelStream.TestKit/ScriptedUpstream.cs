using System.Net;
using System.Net.Sockets;

namespace KestrelStream.TestKit;

/// <summary>A backend whose every connection runs a script. Stops its listener and closes what it accepted.</summary>
public sealed class ScriptedUpstream : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stopped = new();
    private readonly List<Task> _running = [];
    private readonly List<Socket> _accepted = [];
    private readonly Task _loop;
    private int _count;
    private int _active;

    public ScriptedUpstream(Func<Socket, Task> script, IPAddress? address = null, int backlog = 512, int port = 0)
    {
        _listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        if (address is not null)
        {
            _listener.Dispose();
            _listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        }

        _listener.Bind(new IPEndPoint(address ?? IPAddress.Loopback.MapToIPv6(), port));
        _listener.Listen(backlog);
        var bound = (IPEndPoint)_listener.LocalEndPoint!;
        EndPoint = new IPEndPoint(bound.Address.IsIPv4MappedToIPv6 ? bound.Address.MapToIPv4() : bound.Address, bound.Port);
        _loop = Task.Run(() => AcceptAsync(script));
    }

    public IPEndPoint EndPoint { get; }

    /// <summary>Connections accepted so far.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Connections that are not closed by their script.</summary>
    public int Active => Volatile.Read(ref _active);

    /// <summary>First failure of a script.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Sends back what it gets; FIN for FIN.</summary>
    public static ScriptedUpstream Echo() => new(async socket =>
    {
        var buffer = new byte[65536];
        while (await socket.ReceiveAsync(buffer) is > 0 and var count)
        {
            await socket.SendAllAsync(buffer.AsMemory(0, count));
        }

        socket.Shutdown(SocketShutdown.Send);
    });

    /// <summary>Says who it is, then sends back what it gets.</summary>
    public static ScriptedUpstream Named(string name, IPAddress address, int port) => new(
        async socket =>
        {
            await socket.SendAllAsync(System.Text.Encoding.ASCII.GetBytes(name));
            var buffer = new byte[4096];
            while (await socket.ReceiveAsync(buffer) is > 0 and var count)
            {
                await socket.SendAllAsync(buffer.AsMemory(0, count));
            }

            socket.Shutdown(SocketShutdown.Send);
        },
        address,
        port: port);

    /// <summary>An address where nobody listens.</summary>
    public static IPEndPoint Nobody()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return (IPEndPoint)socket.LocalEndPoint!;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopped.CancelAsync();
        _listener.Dispose();
        lock (_accepted)
        {
            _accepted.ForEach(socket => socket.Dispose());
        }

        await _loop;
        await Task.WhenAll(_running);
        _stopped.Dispose();
    }

    private async Task AcceptAsync(Func<Socket, Task> script)
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptAsync(_stopped.Token);
                socket.NoDelay = true;
                Interlocked.Increment(ref _active);
                Interlocked.Increment(ref _count);
                lock (_accepted)
                {
                    _accepted.Add(socket);
                    if (_stopped.IsCancellationRequested)
                    {
                        // Accepted while all others were closed: nobody else would end its script.
                        socket.Dispose();
                    }
                }

                _running.Add(Task.Run(() => RunAsync(script, socket)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private async Task RunAsync(Func<Socket, Task> script, Socket socket)
    {
        try
        {
            await script(socket);
        }
        catch (Exception) when (_stopped.IsCancellationRequested)
        {
            // Closed under it by the end of the test.
        }
        catch (Exception e)
        {
            Failure ??= e;
        }

        // Closed here, but listed until the end: a script may keep its socket by not returning.
        socket.Dispose();
        Interlocked.Decrement(ref _active);
    }
}
