using System.Net.Sockets;

namespace KestrelStream.Transport.EventLoop;

/// <summary>A listening socket and the loops that watch it: one of its own each for TCP, one for all of them for a unix socket. Thread-safe.</summary>
internal sealed class ListeningSocket
{
    private readonly Socket _socket;
    private int _watchers;

    public ListeningSocket(Socket socket, int watchers)
    {
        _socket = socket;
        _socket.Blocking = false;
        _watchers = watchers;
        IsShared = watchers > 1;
        Descriptor = (int)socket.Handle;
    }

    public int Descriptor { get; }

    public bool IsShared { get; }

    /// <summary>A loop has stopped watching. True = it was the last one, which closes the socket.</summary>
    public bool Release() => Interlocked.Decrement(ref _watchers) == 0;

    public void Close() => _socket.Dispose();
}
