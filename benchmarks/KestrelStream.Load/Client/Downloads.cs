using System.Net;
using System.Net.Sockets;
using KestrelStream.Load.Backend;

namespace KestrelStream.Load.Client;

/// <summary>Downloads that go on as fast as they can until they are stopped, one thread each. Started once.</summary>
internal sealed class Downloads : IDisposable
{
    public const int Flows = 4;

    /// <summary>More than any machine moves meanwhile.</summary>
    private const long Endless = 1L << 50;

    private const int TimeoutMilliseconds = 10_000;

    private readonly LoadErrors _errors;
    private readonly IPEndPoint _proxy;
    private readonly Thread[] _threads;
    private readonly long[] _received = new long[Flows];
    private volatile bool _isStopping;

    public Downloads(IPEndPoint proxy, LoadErrors errors)
    {
        _proxy = proxy;
        _errors = errors;
        _threads = [.. Enumerable.Range(0, Flows).Select(flow => new Thread(() => Run(flow)) { IsBackground = true, Name = "download" })];
        foreach (Thread thread in _threads)
        {
            thread.Start();
        }
    }

    /// <summary>Bytes each flow has received so far.</summary>
    public long[] Received() => [.. Enumerable.Range(0, Flows).Select(flow => Volatile.Read(ref _received[flow]))];

    /// <summary>Ends them: the client closes, whatever is still under way.</summary>
    public void Dispose()
    {
        _isStopping = true;
        foreach (Thread thread in _threads)
        {
            thread.Join();
        }
    }

    private void Run(int flow)
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
            {
                ReceiveTimeout = TimeoutMilliseconds,
            };
            socket.Connect(_proxy);
            _ = socket.Send(Payload.BulkRequest(Endless));
            byte[] buffer = new byte[Payload.BulkPatternBytes];
            while (!_isStopping)
            {
                int received = socket.Receive(buffer);
                long position = _received[flow];
                if (received == 0 || !Payload.IsPatternAt(position, buffer.AsSpan(0, received)))
                {
                    _errors.Add(received == 0 ? $"download closed after {position} bytes" : $"download: wrong bytes near position {position}");
                    return;
                }

                Volatile.Write(ref _received[flow], position + received);
            }
        }
        catch (SocketException error)
        {
            _errors.Add($"download: {error.SocketErrorCode}");
        }
    }
}
