using System.Net;
using System.Net.Sockets;
using KestrelStream.Model;
using KestrelStream.Sessions;

namespace KestrelStream.Transport.EventLoop;

/// <summary>Accepts on one listening socket in one loop and starts the sessions there. On the loop's thread only, but for <see cref="StartAsync"/> and <see cref="StopAsync"/>.</summary>
internal sealed unsafe class LoopAcceptor(
    EventLoop loop,
    LoopEnvironment environment,
    ListeningSocket socket,
    ListenerState listener,
    EndPoint localEndPoint,
    ISessionStarter sessions,
    DescriptorBudget descriptors,
    AcceptBackOff backOff) : TimerNode, ILoopTarget
{
    /// <summary>Most accepted at one wake-up while others wait for their turn.</summary>
    private const int LargestBurst = 64;

    /// <summary>The same while handshakes wait for their turn: new clients would only join their queue, and every accept makes what else the loop carries wait.</summary>
    private const int LargestBurstBesideHandshakes = 2;

    private int _burst = 1;
    private uint _lastTurn;
    private bool _isStopped;

    /// <summary>False = the kernel has no room to watch the socket.</summary>
    public Task<bool> StartAsync() => OnLoopAsync(Watch);

    /// <summary>Ends accepting; what waits in the socket's queue is accepted first, because closing it would reset that. Ends when it is done.</summary>
    public Task StopAsync() => OnLoopAsync(Stop);

    public void OnEvents(uint events)
    {
        if (loop.Handshakes.IsFull && listener.Model.Routes.Terminates)
        {
            loop.Remove(socket.Descriptor);
            loop.Handshakes.Pause(this);
            return;
        }

        // Level-triggered: one connection a wake-up saves the call that says EAGAIN, which costs as much as a real one. When the next turn
        // shows that more are waiting, more are taken.
        _burst = loop.Turn == _lastTurn + 1 ? Math.Min(_burst * 2, loop.Handshakes.HasWaiting ? LargestBurstBesideHandshakes : LargestBurst) : 1;
        _lastTurn = loop.Turn;
        for (var i = 0; i < _burst; i++)
        {
            if (!AcceptOne(out var pause))
            {
                _burst = 1;
                if (pause > TimeSpan.Zero)
                {
                    Pause(pause);
                }

                return;
            }
        }
    }

    public void OnFailed(Exception exception)
    {
        // The session that failed to start is its own loss; the socket is still watched.
    }

    /// <summary>The pause is over.</summary>
    public override void OnDue(long nowMilliseconds) => Resume();

    /// <summary>Goes on accepting, or tries to again later.</summary>
    public void Resume()
    {
        if (!_isStopped && !Watch())
        {
            loop.Clock.Schedule(this, loop.Clock.Now);
        }
    }

    private bool Watch() => loop.Add(socket.Descriptor, this, socket.IsShared ? Native.EPOLLIN | Native.EPOLLEXCLUSIVE : Native.EPOLLIN);

    /// <summary>At EMFILE the kernel would report the same connection at once, again and again: nobody looks for a while.</summary>
    private void Pause(TimeSpan pause)
    {
        loop.Remove(socket.Descriptor);
        loop.Clock.Schedule(this, loop.Clock.Now + (long)pause.TotalMilliseconds);
    }

    /// <summary>False = nothing more to accept now; with a pause when that is for lack of something.</summary>
    private bool AcceptOne(out TimeSpan pause)
    {
        pause = TimeSpan.Zero;
        if (!descriptors.TryTake())
        {
            lock (backOff)
            {
                pause = backOff.AfterReserve();
            }

            return false;
        }

        var address = stackalloc byte[Native.SockAddrBytes];
        var fd = Native.Accept(socket.Descriptor, address, out var addressBytes);
        if (fd < 0)
        {
            descriptors.Return();
            if (fd == -Native.EAGAIN)
            {
                return false;
            }

            lock (backOff)
            {
                pause = backOff.After(ToSocketError(-fd));
            }

            return pause == TimeSpan.Zero;
        }

        backOff.Accepted();
        sessions.Start(new LoopConnection(loop, fd, NativeAddress.Read(address, addressBytes), localEndPoint), listener, environment);
        return true;
    }

    private bool Stop()
    {
        _isStopped = true;
        loop.Clock.Cancel(this);
        loop.Remove(socket.Descriptor);
        if (socket.Release())
        {
            while (AcceptOne(out _))
            {
            }

            socket.Close();
        }

        return true;
    }

    private Task<bool> OnLoopAsync(Func<bool> action)
    {
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(
            _ =>
            {
                try
                {
                    done.SetResult(action());
                }
                catch (Exception e)
                {
                    done.SetException(e);
                }
            },
            null);
        return done.Task;
    }

    private static SocketError ToSocketError(int error) => error switch
    {
        Native.EMFILE or Native.ENFILE => SocketError.TooManyOpenSockets,
        Native.ENOBUFS or Native.ENOMEM => SocketError.NoBufferSpaceAvailable,

        // accept(2): errors of the new connection; EPERM is a firewall's.
        Native.ECONNABORTED or Native.EPROTO or Native.ENETDOWN or Native.ENOPROTOOPT or Native.EHOSTDOWN or Native.ENONET
            or Native.EHOSTUNREACH or Native.EOPNOTSUPP or Native.ENETUNREACH or Native.EPERM or Native.ETIMEDOUT => SocketError.ConnectionAborted,
        _ => SocketError.SocketError,
    };
}
