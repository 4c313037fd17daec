using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using KestrelStream.Sessions;
using KestrelStream.Tls.OpenSsl;
using KestrelStream.Transport.Sockets;

namespace KestrelStream.Transport.EventLoop;

/// <summary>
/// A connection of the event loop: one non-blocking descriptor, watched edge-triggered, its readiness kept in flags. Owns the descriptor until it
/// is closed or detached. Operations complete on the loop's thread; what other threads ask for is posted there.
/// </summary>
internal sealed unsafe class LoopConnection : StreamConnection, ILoopTarget, IDeferredWork
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

    /// <summary>Dials; on the loop only.</summary>
    public ValueTask<ConnectStatus> ConnectAsync(EndPoint endPoint)
    {
        if (_fd < 0)
        {
            return ValueTask.FromResult(ConnectStatus.Aborted);
        }

        var address = stackalloc byte[Native.SockAddrBytes];
        var result = Native.Connect(_fd, address, NativeAddress.Write(endPoint, address));
        if (result == -Native.EINPROGRESS)
        {
            // On this machine the other end has answered by now, though the call could not wait for it: asking costs less than an event.
            if (endPoint is not IPEndPoint ip || !IPAddress.IsLoopback(ip.Address) || !Native.IsConnected(_fd))
            {
                return WaitToConnectAsync();
            }
        }
        else if (result < 0)
        {
            return ValueTask.FromResult(ToConnectStatus(-result));
        }

        return ValueTask.FromResult(ConnectStatus.Connected);
    }

    public override ValueTask<IOResult> ReceiveAsync(Memory<byte> buffer)
    {
        if (!_loop.IsCurrent)
        {
            return Post(LoopOperationKind.Receive, buffer).Result;
        }

        if (TryReceive(buffer, out var result))
        {
            return ValueTask.FromResult(result);
        }

        _receive = _loop.RentOperation().Begin(LoopOperationKind.Receive, buffer);
        return _receive.Result;
    }

    /// <remarks>On the loop only.</remarks>
    public override bool TryReceive(Memory<byte> buffer, out IOResult result)
    {
        if (buffer.IsEmpty)
        {
            // A zero-byte receive is a wait; recv would say 0, which means the end.
            var isOver = TryWaitToReceive(out var status);
            result = new IOResult(0, status);
            return isOver;
        }

        result = new IOResult(0, _fd < 0 ? IOStatus.Aborted : IOStatus.Ok);
        if (_fd < 0 || TakeStop())
        {
            return true;
        }

        if (_isWatched && !IsReadable)
        {
            return false;
        }

        int received;
        fixed (byte* bytes = buffer.Span)
        {
            received = Receive(bytes, buffer.Length);
        }

        if (received == -Native.EAGAIN)
        {
            result = new IOResult(0, IOStatus.Reset);
            return !Watch();
        }

        result = received >= 0 ? new IOResult(received, IOStatus.Ok) : new IOResult(0, IOStatus.Reset);
        return true;
    }

    public override ValueTask<IOStatus> WaitToReceiveAsync()
    {
        if (!_loop.IsCurrent)
        {
            return Post(LoopOperationKind.WaitToReceive).Status;
        }

        if (TryWaitToReceive(out var status))
        {
            return ValueTask.FromResult(status);
        }

        _receive = _loop.RentOperation().Begin(LoopOperationKind.WaitToReceive);
        return _receive.Status;
    }

    public override ValueTask<IOResult> SendAsync(ReadOnlyMemory<byte> buffer)
    {
        var bytes = MemoryMarshal.AsMemory(buffer);
        if (!_loop.IsCurrent)
        {
            return Post(LoopOperationKind.Send, bytes).Result;
        }

        var sent = 0;
        if (TrySend(bytes, ref sent, out var result))
        {
            return ValueTask.FromResult(result);
        }

        _send = _loop.RentOperation().Begin(LoopOperationKind.Send, bytes);
        _send.Sent = sent;
        return _send.Result;
    }

    public override ValueTask<IOStatus> ShutdownSendAsync()
        => _loop.IsCurrent ? ValueTask.FromResult(EndSending()) : Post(LoopOperationKind.ShutdownSend).Status;

    public override void StopReceiving()
    {
        if (!_loop.IsCurrent)
        {
            _loop.Post(static state => ((LoopConnection)state!).StopReceiving(), this);
            return;
        }

        // The receive that is told "the end" may be under way or about to begin; those after it are real again.
        _isStopped = true;
        if (_receive is not null)
        {
            _loop.Defer(new ReceiveStop(this));
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

    /// <summary>On the loop, with no operation under way.</summary>
    public override EndPoint? GetBoundEndPoint()
    {
        var address = stackalloc byte[Native.SockAddrBytes];
        return _fd >= 0 && Native.TryGetName(_fd, address, out var count) ? NativeAddress.Read(address, count).ToEndPoint() : LocalEndPoint;
    }

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

    private bool TryWaitToReceive(out IOStatus status)
    {
        status = _fd < 0 ? IOStatus.Aborted : IOStatus.Ok;
        if (_fd < 0 || _isStopped || IsReadable)
        {
            return true;
        }

        status = IOStatus.Reset;
        return !Watch();
    }

    private bool TrySend(Memory<byte> bytes, ref int sent, out IOResult result)
    {
        result = new IOResult(sent, IOStatus.Aborted);
        if (_fd < 0)
        {
            return true;
        }

        if (!IsWritable)
        {
            return false;
        }

        int count;
        fixed (byte* start = bytes.Span)
        {
            count = Send(start + sent, bytes.Length - sent);
        }

        if (count >= 0)
        {
            sent += count;
            result = new IOResult(sent, IOStatus.Ok);
            return sent == bytes.Length;
        }

        result = new IOResult(sent, IOStatus.Reset);
        return true;
    }

    private IOStatus EndSending() => _fd < 0 ? IOStatus.Aborted : ShutdownSend() >= 0 ? IOStatus.Ok : IOStatus.Reset;

    private ValueTask<ConnectStatus> WaitToConnectAsync()
    {
        IsWritable = false;
        if (!Watch(writes: true))
        {
            return ValueTask.FromResult(ConnectStatus.OutOfResources);
        }

        _send = _loop.RentOperation().Begin(LoopOperationKind.Connect);
        return _send.Connected;
    }

    private void ContinueSend(LoopOperation send)
    {
        if (send.Kind == LoopOperationKind.Connect)
        {
            _send = null;
            var error = IsBroken ? Native.TakeError(_fd) : 0;
            send.ConnectStatus = error == 0 ? ConnectStatus.Connected : ToConnectStatus(error);
            Complete(send, default);
            return;
        }

        var sent = send.Sent;
        if (TrySend(send.Buffer, ref sent, out var result))
        {
            _send = null;
            Complete(send, result);
            return;
        }

        send.Sent = sent;
    }

    private void ContinueReceive(LoopOperation receive)
    {
        var result = new IOResult(0, IOStatus.Ok);
        if (receive.Kind == LoopOperationKind.WaitToReceive || TryReceive(receive.Buffer, out result))
        {
            _receive = null;
            Complete(receive, result);
        }
    }

    private bool TakeStop()
    {
        var isStopped = _isStopped;
        _isStopped = false;
        return isStopped;
    }

    private LoopOperation Post(LoopOperationKind kind, Memory<byte> buffer = default)
    {
        var operation = new LoopOperation(_loop).Begin(kind, buffer);
        operation.Target = this;
        _loop.Post(static state => ((LoopOperation)state!).Target!.Start((LoopOperation)state), operation);
        return operation;
    }

    /// <summary>An operation that was begun on another thread has arrived on the loop.</summary>
    private void Start(LoopOperation operation)
    {
        if (_detached is not null)
        {
            Complete(operation, new IOResult(0, IOStatus.Aborted));
            return;
        }

        IOResult result;
        switch (operation.Kind)
        {
            case LoopOperationKind.Receive:
                if (!TryReceive(operation.Buffer, out result))
                {
                    _receive = operation;
                    return;
                }

                break;

            case LoopOperationKind.WaitToReceive:
                if (!TryWaitToReceive(out var status))
                {
                    _receive = operation;
                    return;
                }

                result = new IOResult(0, status);
                break;

            case LoopOperationKind.Send:
                var sent = 0;
                if (!TrySend(operation.Buffer, ref sent, out result))
                {
                    operation.Sent = sent;
                    _send = operation;
                    return;
                }

                break;

            case LoopOperationKind.ShutdownSend:
                result = new IOResult(0, EndSending());
                break;

            default:
                throw new InvalidOperationException($"{operation.Kind} begins on the loop.");
        }

        Complete(operation, result);
    }

    private void Complete(LoopOperation operation, IOResult result) => operation.Complete(result, ContinuesOnPool);

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

    private static LoopOperation? Take(ref LoopOperation? operation)
    {
        var taken = operation;
        operation = null;
        return taken;
    }

    private static ConnectStatus ToConnectStatus(int error) => error switch
    {
        Native.ECONNREFUSED => ConnectStatus.Refused,
        Native.ETIMEDOUT => ConnectStatus.TimedOut,
        Native.EHOSTUNREACH or Native.ENETUNREACH or Native.EHOSTDOWN or Native.ENETDOWN => ConnectStatus.Unreachable,
        Native.EADDRNOTAVAIL or Native.EAFNOSUPPORT or Native.ENOENT => ConnectStatus.AddressNotAvailable,
        Native.EMFILE or Native.ENFILE or Native.ENOBUFS or Native.ENOMEM => ConnectStatus.OutOfResources,
        _ => ConnectStatus.Failed,
    };

    private sealed class ReceiveStop(LoopConnection connection) : IDeferredWork
    {
        public void RunDeferred()
        {
            // A mere wait is told to look; the receive behind it finds the stop.
            if (connection._receive is { } receive)
            {
                if (receive.Kind == LoopOperationKind.Receive && !connection.TakeStop())
                {
                    return;
                }

                connection._receive = null;
                connection.Complete(receive, new IOResult(0, IOStatus.Ok));
            }
        }

        public void OnFailed(Exception exception) => connection.OnFailed(exception);
    }
}
