using System.Net;
using System.Net.Sockets;
using KestrelStream.Sessions;
using KestrelStream.Transport.Sockets;

namespace KestrelStream.Transport.EventLoop;

/// <content>How it ends, on this loop or on another engine.</content>
internal sealed unsafe partial class LoopConnection
{
    public override void Reset() => End(isReset: true);

    public override void Vanish()
    {
        if (_fd >= 0)
        {
            Native.SetSilentClose(_fd);
        }

        Reset();
    }

    public override void Close() => End(isReset: false);

    public override StreamConnection Detach()
    {
        var fd = LeaveLoop();
        if (fd < 0)
        {
            // Aborted already: everything here answers so.
            return this;
        }

        var handle = new SafeSocketHandle(fd, ownsHandle: true);
        try
        {
            return _detached = Succeed(new SocketConnection(new Socket(handle), RemoteEndPoint, LocalEndPoint));
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>On the loop, with no operation under way. Null = it is closed.</summary>
    public ParkedDescriptor? Park() => LeaveLoop() is >= 0 and var fd ? new ParkedDescriptor(fd, RemoteEndPoint!) : null;

    /// <summary>The descriptor, as nobody's; negative = it is closed.</summary>
    private int LeaveLoop()
    {
        if (!_loop.IsCurrent)
        {
            throw new InvalidOperationException("A connection leaves its loop on the loop's own thread.");
        }

        var fd = _fd;
        if (fd < 0)
        {
            return fd;
        }

        if (Tls is not null)
        {
            throw new InvalidOperationException("A connection does not leave its loop once its TLS has begun there.");
        }

        if (_mayDelay)
        {
            Native.SetNoDelay(fd);
        }

        if (_isWatched)
        {
            _loop.Remove(fd);
        }

        _fd = -1;
        return fd;
    }

    private void End(bool isReset)
    {
        if (_detached is { } detached)
        {
            // Whoever still knew this object means the connection.
            if (isReset)
            {
                detached.Reset();
            }
            else
            {
                detached.Close();
            }

            return;
        }

        if (!_loop.IsCurrent)
        {
            _loop.Post(isReset ? static state => ((LoopConnection)state!).Reset() : static state => ((LoopConnection)state!).Close(), this);
            return;
        }

        if (_fd < 0)
        {
            return;
        }

        EndTls(isReset);
        var fd = _fd;
        ReadTcpFacts(fd);
        _fd = -1;
        if (_isWatched)
        {
            _loop.Forget(fd);
        }

        if (isReset)
        {
            Native.SetAbortiveClose(fd);
        }

        Native.Close(fd);
        if (Pump is not null || _receive is not null || _send is not null)
        {
            _loop.Defer(this);
        }
    }

    private void ReadTcpFacts(int fd)
    {
        if (TcpFacts is { } facts)
        {
            Span<byte> info = stackalloc byte[TcpFacts.Bytes];
            if (Native.TryGetTcpInfo(fd, info))
            {
                facts.Read(info);
            }
        }
    }

    /// <summary>An orderly end says so (close_notify), if the kernel takes it now.</summary>
    private void EndTls(bool isReset)
    {
        if (Tls is not { } tls)
        {
            return;
        }

        if (!isReset && IsWritable && _send is null)
        {
            tls.Shutdown();
            if (tls.Buffers.OutputCount > 0)
            {
                _ = Native.Send(_fd, tls.Buffers.Output, tls.Buffers.OutputCount, isLast: true);
            }
        }

        tls.Buffers.ClearOutput();
        tls.Free();
        Tls = null;
    }
}
