using System.Net;
using System.Runtime.InteropServices;

namespace KestrelStream.Transport.EventLoop;

/// <content>What waits: connecting, receiving and sending as tasks, one of a kind at a time.</content>
internal sealed unsafe partial class LoopConnection
{
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
