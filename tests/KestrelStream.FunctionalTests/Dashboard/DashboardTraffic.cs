using System.Net;
using System.Net.Sockets;
using KestrelStream.TestKit;

namespace KestrelStream.FunctionalTests.Dashboard;

/// <summary>Backends, and clients that come and go, for something to be seen. Stops everything it started.</summary>
internal sealed class DashboardTraffic : IAsyncDisposable
{
    private readonly List<ScriptedUpstream> _upstreams = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Random _random = new(7);
    private Task _running = Task.CompletedTask;

    public DashboardTraffic(int backends)
    {
        for (var i = 0; i < backends; i++)
        {
            var answer = new byte[2000 + i * 4000];
            _upstreams.Add(new ScriptedUpstream(socket => AnswerAsync(socket, answer)));
        }
    }

    public IPEndPoint Backend(int number) => _upstreams[number].EndPoint;

    /// <summary>A few clients a second until the end.</summary>
    /// <param name="listener">Where they connect.</param>
    /// <param name="names">What they ask for, the more often a name stands here the more of them.</param>
    public void Start(IPEndPoint listener, params string[] names) => _running = Task.WhenAll(_running, RunAsync(listener, names));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        foreach (var upstream in _upstreams)
        {
            await upstream.DisposeAsync();
        }

        _stop.Dispose();
    }

    private static async Task AnswerAsync(Socket socket, byte[] answer)
    {
        var buffer = new byte[8192];
        while (await socket.ReceiveAsync(buffer) > 0)
        {
            await socket.SendAllAsync(answer);
        }

        socket.Shutdown(SocketShutdown.Send);
    }

    private async Task RunAsync(IPEndPoint listener, string[] names)
    {
        var clients = new List<Task>();
        while (!_stop.IsCancellationRequested)
        {
            clients.RemoveAll(client => client.IsCompleted);
            clients.Add(ClientAsync(listener, names[_random.Next(names.Length)]));
            await Task.Delay(100 + _random.Next(150), CancellationToken.None);
        }

        await Task.WhenAll(clients);
    }

    /// <summary>However it ends is of no matter here.</summary>
    private async Task ClientAsync(IPEndPoint listener, string name)
    {
        try
        {
            using var socket = new Socket(listener.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(listener);
            await socket.SendAllAsync(new ClientHelloBuilder().WithServerName(name).Build());
            var reading = ReadAsync(socket);
            for (var turns = _random.Next(4, 40); turns > 0 && !_stop.IsCancellationRequested; turns--)
            {
                await socket.SendAllAsync(new byte[300]);
                await Task.Delay(200, CancellationToken.None);
            }

            socket.Shutdown(SocketShutdown.Send);
            await reading;
        }
        catch (SocketException)
        {
            // Refused, or closed by the page.
        }
    }

    private static async Task ReadAsync(Socket socket)
    {
        try
        {
            var buffer = new byte[65536];
            while (await socket.ReceiveAsync(buffer) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // As above.
        }
    }
}
