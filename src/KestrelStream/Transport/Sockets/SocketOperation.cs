using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Threading.Tasks.Sources;

namespace KestrelStream.Transport.Sockets;

/// <summary>
/// An awaitable socket operation that tells errors as values: <c>Socket</c>'s own awaitables throw for every reset.
/// Pooled; one operation under way at a time.
/// </summary>
internal sealed class SocketOperation : SocketAsyncEventArgs, IValueTaskSource<SocketError>
{
    /// <summary>Kept for reuse at most; each is some hundred bytes.</summary>
    private const int MaxPooled = 4096;

    private static readonly ConcurrentQueue<SocketOperation> Pool = new();
    private static int s_pooled;

    /// <summary>Where the byte goes that a wait looks at; nobody reads it.</summary>
    private static readonly byte[] Looked = new byte[1];

    private ManualResetValueTaskSourceCore<SocketError> _core;

    // unsafeSuppressExecutionContext: the execution context of whoever happens to start an operation is of no use to a relay, and capturing it costs.
    private SocketOperation() : base(true) => _core.RunContinuationsAsynchronously = false;

    public static SocketOperation Rent()
    {
        if (Pool.TryDequeue(out var operation))
        {
            Interlocked.Decrement(ref s_pooled);
            return operation;
        }

        return new SocketOperation();
    }

    /// <summary>Gives it back; only when no operation is under way.</summary>
    public void Return()
    {
        SetBuffer(default);
        SocketFlags = SocketFlags.None;
        RemoteEndPoint = null;
        AcceptSocket = null;
        if (Interlocked.Increment(ref s_pooled) <= MaxPooled)
        {
            Pool.Enqueue(this);
        }
        else
        {
            Interlocked.Decrement(ref s_pooled);
            Dispose();
        }
    }

    public ValueTask<SocketError> ReceiveAsync(Socket socket, Memory<byte> buffer)
    {
        SetBuffer(buffer);
        SocketFlags = SocketFlags.None;
        return Start(socket.ReceiveAsync(this));
    }

    /// <summary>Ends when something can be received, the end included.</summary>
    public ValueTask<SocketError> WaitToReceiveAsync(Socket socket)
    {
        if (OperatingSystem.IsWindows())
        {
            return ReceiveAsync(socket, default);
        }

        // Elsewhere a zero-byte receive ends at once, whatever is there, until a real one has found nothing: .NET asks recv, which says 0.
        SetBuffer(Looked);
        SocketFlags = SocketFlags.Peek;
        return Start(socket.ReceiveAsync(this));
    }

    public ValueTask<SocketError> SendAsync(Socket socket, ReadOnlyMemory<byte> buffer)
    {
        SetBuffer(System.Runtime.InteropServices.MemoryMarshal.AsMemory(buffer));
        return Start(socket.SendAsync(this));
    }

    public ValueTask<SocketError> ConnectAsync(Socket socket, System.Net.EndPoint endPoint)
    {
        RemoteEndPoint = endPoint;
        return Start(socket.ConnectAsync(this));
    }

    public ValueTask<SocketError> AcceptAsync(Socket socket)
    {
        AcceptSocket = null;
        return Start(socket.AcceptAsync(this));
    }

    protected override void OnCompleted(SocketAsyncEventArgs e) => _core.SetResult(SocketError);

    SocketError IValueTaskSource<SocketError>.GetResult(short token)
    {
        var error = _core.GetResult(token);
        _core.Reset();
        return error;
    }

    ValueTaskSourceStatus IValueTaskSource<SocketError>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<SocketError>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _core.OnCompleted(continuation, state, token, flags);

    private ValueTask<SocketError> Start(bool isPending)
        => isPending ? new ValueTask<SocketError>(this, _core.Version) : new ValueTask<SocketError>(SocketError);
}
