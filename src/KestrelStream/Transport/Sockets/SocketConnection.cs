using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace KestrelStream.Transport.Sockets;

/// <summary>A connection of the portable engine: a <see cref="Socket"/> used directly, without Kestrel's pipes, which cannot half-close.</summary>
internal sealed class SocketConnection : StreamConnection
{
    private readonly Socket _socket;
    private readonly SocketOperation _receive = SocketOperation.Rent();
    private readonly SocketOperation _send = SocketOperation.Rent();
    private int _operations;
    private int _closed;
    private int _released;

    public SocketConnection(Socket socket, EndPoint? remoteEndPoint, EndPoint? localEndPoint)
    {
        _socket = socket;

        // For TryReceive. The descriptor itself becomes non-blocking with the first asynchronous operation anyway.
        socket.Blocking = false;
        RemoteEndPoint = remoteEndPoint;
        LocalEndPoint = localEndPoint;
    }

    /// <summary>Dials. <see cref="Reset"/> from another thread ends it with <see cref="ConnectStatus.Aborted"/>.</summary>
    public async ValueTask<ConnectStatus> ConnectAsync(EndPoint endPoint)
    {
        if (!Begin())
        {
            return ConnectStatus.Aborted;
        }

        try
        {
            var error = await _send.ConnectAsync(_socket, endPoint);
            return ToConnectStatus(error);
        }
        catch (ObjectDisposedException)
        {
            return ConnectStatus.Aborted;
        }
        catch (SocketException e)
        {
            return ToConnectStatus(e.SocketErrorCode);
        }
        finally
        {
            End();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<IOResult> ReceiveAsync(Memory<byte> buffer)
    {
        if (!Begin())
        {
            return new IOResult(0, IOStatus.Aborted);
        }

        try
        {
            var error = await _receive.ReceiveAsync(_socket, buffer);
            return error == SocketError.Success ? new IOResult(_receive.BytesTransferred, IOStatus.Ok) : new IOResult(0, ToStatus(error));
        }
        catch (ObjectDisposedException)
        {
            return new IOResult(0, IOStatus.Aborted);
        }
        finally
        {
            End();
        }
    }

    public override bool TryReceive(Memory<byte> buffer, out IOResult result)
    {
        if (!Begin())
        {
            result = new IOResult(0, IOStatus.Aborted);
            return true;
        }

        try
        {
            var count = _socket.Receive(buffer.Span, SocketFlags.None, out var error);
            result = error == SocketError.Success ? new IOResult(count, IOStatus.Ok) : new IOResult(0, ToStatus(error));
            return error != SocketError.WouldBlock;
        }
        catch (ObjectDisposedException)
        {
            result = new IOResult(0, IOStatus.Aborted);
            return true;
        }
        finally
        {
            End();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<IOStatus> WaitToReceiveAsync()
    {
        if (!Begin())
        {
            return IOStatus.Aborted;
        }

        try
        {
            var error = await _receive.WaitToReceiveAsync(_socket);
            return error == SocketError.Success ? IOStatus.Ok : ToStatus(error);
        }
        catch (ObjectDisposedException)
        {
            return IOStatus.Aborted;
        }
        finally
        {
            End();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<IOResult> SendAsync(ReadOnlyMemory<byte> buffer)
    {
        if (!Begin())
        {
            return new IOResult(0, IOStatus.Aborted);
        }

        try
        {
            var sent = 0;
            while (sent < buffer.Length)
            {
                var error = await _send.SendAsync(_socket, buffer[sent..]);
                sent += _send.BytesTransferred;
                if (error != SocketError.Success)
                {
                    return new IOResult(sent, ToStatus(error));
                }
            }

            return new IOResult(sent, IOStatus.Ok);
        }
        catch (ObjectDisposedException)
        {
            return new IOResult(0, IOStatus.Aborted);
        }
        finally
        {
            End();
        }
    }

    public override ValueTask<IOStatus> ShutdownSendAsync()
    {
        if (!Begin())
        {
            return ValueTask.FromResult(IOStatus.Aborted);
        }

        try
        {
            _socket.Shutdown(SocketShutdown.Send);
            return ValueTask.FromResult(IOStatus.Ok);
        }
        catch (SocketException)
        {
            // ENOTCONN: the peer has reset it since; the other direction's receive tells.
            return ValueTask.FromResult(IOStatus.Reset);
        }
        catch (ObjectDisposedException)
        {
            return ValueTask.FromResult(IOStatus.Aborted);
        }
        finally
        {
            End();
        }
    }

    public override void StopReceiving()
    {
        // shutdown(SHUT_RD) wakes a pending receive with 0 everywhere but on Windows.
        if (OperatingSystem.IsWindows())
        {
            Reset();
            return;
        }

        // An operation like the others: what it wakes may close the connection while this call still holds the handle.
        if (!Begin())
        {
            return;
        }

        try
        {
            _socket.Shutdown(SocketShutdown.Receive);
        }
        catch (SocketException)
        {
            // Reset meanwhile: the receive has ended already.
        }
        catch (ObjectDisposedException)
        {
        }
        finally
        {
            End();
        }
    }

    public override void Reset()
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0)
        {
            try
            {
                // SO_LINGER 0: close() sends RST and drops what the kernel still holds.
                _socket.LingerState = new LingerOption(true, 0);
            }
            catch (SocketException)
            {
                // Already reset by the peer.
            }
            catch (ObjectDisposedException)
            {
            }

            _socket.Dispose();
            Release();
        }
    }

    public override void Vanish()
    {
        try
        {
            SetSilentClose();
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            // Gone already.
        }

        Reset();
    }

    public override void Close()
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0)
        {
            return;
        }

        // Disposing a socket with an operation under way makes .NET disconnect it, which the peer sees as RST. So FIN goes out
        // first; it ends what is under way, and the last operation to end disposes the socket.
        if (Volatile.Read(ref _operations) != 0 && !OperatingSystem.IsWindows())
        {
            try
            {
                _socket.Shutdown(SocketShutdown.Both);
            }
            catch (SocketException)
            {
                // Reset by the peer meanwhile.
            }
            catch (ObjectDisposedException)
            {
            }
        }
        else
        {
            _socket.Dispose();
        }

        Release();
    }

    public override EndPoint? GetBoundEndPoint()
    {
        try
        {
            return _socket.LocalEndPoint;
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            return LocalEndPoint;
        }
    }

    public override bool HasPeerLeft()
    {
        try
        {
            return _socket.Poll(0, SelectMode.SelectRead) && (_socket.Available == 0 || WasReset());
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            return true;
        }
    }

    public override bool HasReceived()
    {
        try
        {
            return _socket.Available > 0;
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            return false;
        }
    }

    public override bool WasReset()
    {
        if (!OperatingSystem.IsLinux() || _socket.ProtocolType != ProtocolType.Tcp)
        {
            return false;
        }

        try
        {
            // tcp_info begins with tcpi_state: a FIN leaves CLOSE_WAIT, a reset CLOSE.
            const int TcpInfo = 11;
            const byte Closed = 7;
            Span<byte> info = stackalloc byte[8];
            return _socket.GetRawSocketOption((int)SocketOptionLevel.Tcp, TcpInfo, info) > 0 && info[0] == Closed;
        }
        catch (SocketException)
        {
            return false;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }

    private bool Begin()
    {
        Interlocked.Increment(ref _operations);
        if (Volatile.Read(ref _closed) == 0)
        {
            return true;
        }

        End();
        return false;
    }

    private void End()
    {
        if (Interlocked.Decrement(ref _operations) == 0 && Volatile.Read(ref _closed) != 0)
        {
            Release();
        }
    }

    /// <summary>The pooled operations may be given back, and the socket let go, only when none is under way: done by whoever comes last.</summary>
    private void Release()
    {
        if (Volatile.Read(ref _operations) == 0 && Interlocked.Exchange(ref _released, 1) == 0)
        {
            _socket.Dispose();
            _receive.Return();
            _send.Return();
        }
    }

    private IOStatus ToStatus(SocketError error)
        => Volatile.Read(ref _closed) != 0 || error == SocketError.OperationAborted ? IOStatus.Aborted : IOStatus.Reset;

    private ConnectStatus ToConnectStatus(SocketError error) => Volatile.Read(ref _closed) != 0 ? ConnectStatus.Aborted : error switch
    {
        SocketError.Success => ConnectStatus.Connected,
        SocketError.ConnectionRefused => ConnectStatus.Refused,
        SocketError.TimedOut => ConnectStatus.TimedOut,
        SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.HostDown or SocketError.NetworkDown => ConnectStatus.Unreachable,
        SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported => ConnectStatus.AddressNotAvailable,
        SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable => ConnectStatus.OutOfResources,
        SocketError.OperationAborted => ConnectStatus.Aborted,
        _ => ConnectStatus.Failed,
    };

    /// <summary>Linux tells the peer nothing then, given CAP_NET_ADMIN; elsewhere the reset gets no further than the first router.</summary>
    private void SetSilentClose()
    {
        const int TcpRepair = 19;
        if (OperatingSystem.IsLinux() && _socket.ProtocolType == ProtocolType.Tcp)
        {
            try
            {
                _socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, TcpRepair, [1, 0, 0, 0]);
                return;
            }
            catch (SocketException)
            {
                // Not allowed.
            }
        }

        if (_socket.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)
        {
            _socket.Ttl = 1;
        }
    }
}
