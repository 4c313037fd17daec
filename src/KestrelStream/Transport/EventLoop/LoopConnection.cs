using System.Net;
using KestrelStream.Sessions;
using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Transport.EventLoop;

/// <summary>
/// A connection of the event loop: one non-blocking descriptor, watched edge-triggered, its readiness kept in flags. Owns the descriptor until it
/// is closed or detached. Operations complete on the loop's thread; what other threads ask for is posted there.
/// </summary>
internal sealed unsafe partial class LoopConnection : StreamConnection, ILoopTarget, IDeferredWork
{
    private const uint Watched = Native.EPOLLIN | Native.EPOLLPRI | Native.EPOLLRDHUP | Native.EPOLLET;
    private const int Gone = -Native.ENOTCONN;

    private readonly EventLoop _loop;
    private readonly NativeAddress _peer;
    private EndPoint? _remoteEndPoint;
    private LoopOperation? _receive;
    private LoopOperation? _send;
    private volatile StreamConnection? _detached;
    private int _fd;
    private bool _isWatched;
    private bool _watchesWrites;
    private bool _isStopped;
    private bool _hasSent;
    private bool _mayDelay;

    /// <param name="loop">Whose thread runs it.</param>
    /// <param name="fd">Non-blocking; owned from here on. Negative = the dial cannot even begin: this errno says why.</param>
    /// <param name="peer">As accept told it; empty on an upstream end.</param>
    /// <param name="localEndPoint">The listener's.</param>
    public LoopConnection(EventLoop loop, int fd, in NativeAddress peer = default, EndPoint? localEndPoint = null)
    {
        _loop = loop;
        _fd = fd;
        _peer = peer;
        LocalEndPoint = localEndPoint;
    }

    /// <summary>
    /// TCP_NODELAY is not set yet and has to be, before the second send: the kernel holds back a small segment only behind another small one
    /// that is not acknowledged, so the first send never waits, and many connections send once.
    /// </summary>
    public bool MayDelay
    {
        init => _mayDelay = value;
    }

    public override EndPoint? RemoteEndPoint
    {
        get => _remoteEndPoint ??= _peer.ToEndPoint();
        set => _remoteEndPoint = value;
    }

    /// <summary>When set, events go there instead of to operations.</summary>
    public ConnectionPump? Pump { get; set; }

    /// <summary>The peer's TLS when it is spoken here: freed with the descriptor.</summary>
    public OpenSslSession? Tls { get; set; }

    public EventLoop Loop => _loop;

    public bool IsClosed => _fd < 0;

    /// <summary>A receive is worth trying: the kernel has said so, and no short read has said otherwise since.</summary>
    public bool IsReadable { get; set; }

    /// <summary>A send is worth trying.</summary>
    public bool IsWritable { get; private set; } = true;

    /// <summary>The peer has ended its sending: nothing comes behind what the kernel holds.</summary>
    public bool PeerHasEnded { get; private set; }

    /// <summary>The kernel has reported an error: what a receive shows after the last byte is no mere end.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>TCP urgent data was seen: a receive stops before the urgent byte, so that a short read does not mean drained.</summary>
    public bool HasUrgent { get; private set; }

    public void OnEvents(uint events)
    {
        Note(events);
        if (Pump is { } pump)
        {
            pump.OnEvents(this, events);
            return;
        }

        if (_send is { } send && IsWritable)
        {
            ContinueSend(send);
        }

        if (_receive is { } receive && IsReadable)
        {
            ContinueReceive(receive);
        }
    }

    public void OnFailed(Exception exception)
    {
        if (Pump is { } pump)
        {
            pump.OnFailed(exception);
            return;
        }

        Session?.Abort(SessionEndReason.InternalError);
        Reset();
    }

    /// <summary>Closed while something waited: it is told now, not on the stack of whoever closed.</summary>
    public void RunDeferred()
    {
        Pump?.OnConnectionClosed();
        if (Take(ref _send) is { } send)
        {
            send.ConnectStatus = ConnectStatus.Aborted;
            Complete(send, new IOResult(send.Sent, IOStatus.Aborted));
        }

        if (Take(ref _receive) is { } receive)
        {
            Complete(receive, new IOResult(0, IOStatus.Aborted));
        }
    }

    /// <summary>Begins to watch for bytes and the end. False = the kernel has no room: the connection cannot go on.</summary>
    public bool Watch() => Watch(writes: false);

    /// <summary>
    /// Receives into memory that does not move. 0 = the end; negative = an errno, <see cref="Native.EAGAIN"/> when nothing is there.
    /// Afterwards <see cref="IsReadable"/> tells whether another receive is worth a call.
    /// </summary>
    public int Receive(byte* buffer, int count)
    {
        if (_fd < 0)
        {
            return Gone;
        }

        var received = Native.Receive(_fd, buffer, count);
        if (received < count && received != 0)
        {
            // A short read has drained the socket: the next bytes raise a new event. An end or error behind it was announced already and raises none.
            IsReadable = (PeerHasEnded | IsBroken | HasUrgent) && received != -Native.EAGAIN;
        }

        return received;
    }

    /// <summary>Sends from memory that does not move, as much as the kernel takes. 0 = nothing now; negative = an errno.</summary>
    /// <param name="buffer">What to send.</param>
    /// <param name="count">How much.</param>
    /// <param name="isLast">A FIN follows at once if all of it was taken.</param>
    public int Send(byte* buffer, int count, bool isLast = false)
    {
        if (_fd < 0)
        {
            return Gone;
        }

        if (_mayDelay && _hasSent)
        {
            _mayDelay = false;
            Native.SetNoDelay(_fd);
        }

        _hasSent = true;
        var sent = Native.Send(_fd, buffer, count, isLast);
        if (sent < count && sent is >= 0 or -Native.EAGAIN)
        {
            IsWritable = false;
            return !Watch(writes: true) ? -Native.ENOMEM : Math.Max(sent, 0);
        }

        return sent;
    }

    /// <summary>Moves received pages into an empty pipe. 0 = the end, or urgent data ahead: a receive tells which; negative = an errno.</summary>
    public int SpliceInto(SplicePipe pipe)
    {
        var moved = _fd < 0 ? Gone : Native.Splice(_fd, pipe.WriteEnd, SplicePipe.Bytes);
        pipe.Count += Math.Max(0, moved);
        if (moved == -Native.EAGAIN)
        {
            IsReadable = false;
        }

        return moved;
    }

    /// <summary>Sends what a pipe holds, as much as the kernel takes. 0 = nothing now; negative = an errno.</summary>
    public int SpliceFrom(SplicePipe pipe)
    {
        var moved = _fd < 0 ? Gone : Native.Splice(pipe.ReadEnd, _fd, pipe.Count);
        pipe.Count -= Math.Max(0, moved);
        if (moved == -Native.EAGAIN)
        {
            IsWritable = false;
            return Watch(writes: true) ? 0 : -Native.ENOMEM;
        }

        return moved;
    }

    /// <summary>Sends FIN. Negative = an errno.</summary>
    public int ShutdownSend() => _fd < 0 ? Gone : Native.ShutdownSend(_fd);

    /// <summary>A wait that preread began ends: the relay takes over.</summary>
    public void EndWait()
    {
        if (Take(ref _receive) is { } wait)
        {
            Complete(wait, new IOResult(0, IOStatus.Ok));
        }
    }

    public override bool HasPeerLeft() => _fd < 0 || Native.Peek(_fd) is not (> 0 or -Native.EAGAIN);

    public override bool HasReceived() => _fd >= 0 && Native.Peek(_fd) > 0;

    public override bool WasReset() => IsBroken;

    /// <summary>Sends what its TLS has written, as much as the kernel takes; what it does not is given to be held. Negative = an errno.</summary>
    /// <param name="held">What was held already goes first.</param>
    /// <param name="isLast">A FIN follows at once if all of it was taken.</param>
    public int SendTls(ref HeldBytes held, bool isLast = false)
    {
        var buffers = Tls!.Buffers;
        var count = buffers.OutputCount;
        if (count == 0)
        {
            return 0;
        }

        var sent = held.Count > 0 ? 0 : Send(buffers.Output, count, isLast);
        if (sent >= 0 && sent < count)
        {
            held.Add(new ReadOnlySpan<byte>(buffers.Output + sent, count - sent));
        }

        buffers.ClearOutput();
        return sent;
    }

    /// <summary>On the loop, with no operation under way.</summary>
    public override EndPoint? GetBoundEndPoint()
    {
        var address = stackalloc byte[Native.SockAddrBytes];
        return _fd >= 0 && Native.TryGetName(_fd, address, out var count) ? NativeAddress.Read(address, count).ToEndPoint() : LocalEndPoint;
    }

    private void Note(uint events)
    {
        const uint Ended = Native.EPOLLERR | Native.EPOLLHUP;
        if ((events & (Native.EPOLLIN | Native.EPOLLPRI | Native.EPOLLRDHUP | Ended)) != 0)
        {
            IsReadable = true;
            PeerHasEnded |= (events & Native.EPOLLRDHUP) != 0;
            IsBroken |= (events & Native.EPOLLERR) != 0;
            HasUrgent |= (events & Native.EPOLLPRI) != 0;
        }

        // A broken connection is "writable": the send says what is wrong with it.
        IsWritable |= (events & (Native.EPOLLOUT | Ended)) != 0;
    }

    private bool Watch(bool writes)
    {
        if (!_isWatched)
        {
            _isWatched = _loop.Add(_fd, this, writes ? Watched | Native.EPOLLOUT : Watched);
            _watchesWrites = writes;
            return _isWatched;
        }

        // Most connections never block a sender: theirs are watched for writes only once they do, and from then on.
        if (writes && !_watchesWrites)
        {
            _watchesWrites = _loop.Modify(_fd, Watched | Native.EPOLLOUT);
            return _watchesWrites;
        }

        return true;
    }
}
