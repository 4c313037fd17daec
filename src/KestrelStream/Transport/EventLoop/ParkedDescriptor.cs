using System.Net;
using System.Net.Sockets;
using KestrelStream.Transport.Sockets;

namespace KestrelStream.Transport.EventLoop;

/// <summary>A parked connection of the event loop: a descriptor that no epoll watches. Owns it until it is adopted or closed.</summary>
internal sealed class ParkedDescriptor(int fd, EndPoint remoteEndPoint) : ParkedConnection(remoteEndPoint)
{
    private int _fd = fd;

    public override ParkedState Look() => _fd < 0 ? ParkedState.Ended : Native.Peek(_fd) switch
    {
        > 0 => ParkedState.HasReceived,
        -Native.EAGAIN => ParkedState.Quiet,
        _ => ParkedState.Ended,
    };

    /// <summary>Gives the descriptor away.</summary>
    public int Take() => Interlocked.Exchange(ref _fd, -1);

    public override SocketConnection ToSocketConnection()
        => new(new Socket(new SafeSocketHandle(Take(), ownsHandle: true)), RemoteEndPoint, localEndPoint: null);

    public override void Close()
    {
        if (Take() is >= 0 and var fd)
        {
            Native.Close(fd);
        }
    }
}
