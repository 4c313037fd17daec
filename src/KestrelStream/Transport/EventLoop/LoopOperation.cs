using System.Threading.Tasks.Sources;

namespace KestrelStream.Transport.EventLoop;

/// <summary>
/// A receive, send or connect that waits for its descriptor. Pooled by its loop and rented only while it waits: an idle session holds none.
/// Completed on the loop, where its awaiter goes on at once; awaited once, from any thread.
/// </summary>
internal sealed class LoopOperation(EventLoop loop) : IValueTaskSource<IOResult>, IValueTaskSource<IOStatus>, IValueTaskSource<ConnectStatus>
{
    private ManualResetValueTaskSourceCore<IOResult> _core;

    public LoopOperationKind Kind { get; private set; }

    /// <summary>Room to receive into, or what is still to be sent.</summary>
    public Memory<byte> Buffer { get; set; }

    /// <summary>Sent so far.</summary>
    public int Sent { get; set; }

    /// <summary>How a connect ended.</summary>
    public ConnectStatus ConnectStatus { get; set; }

    /// <summary>Where an operation belongs that was begun on another thread and is on its way to the loop.</summary>
    public LoopConnection? Target { get; set; }

    public ValueTask<IOResult> Result => new(this, _core.Version);

    public ValueTask<IOStatus> Status => new(this, _core.Version);

    public ValueTask<ConnectStatus> Connected => new(this, _core.Version);

    public LoopOperation Begin(LoopOperationKind kind, Memory<byte> buffer = default)
    {
        Kind = kind;
        Buffer = buffer;
        Sent = 0;
        return this;
    }

    /// <param name="result">The end.</param>
    /// <param name="onPool">Go on on the thread pool: the awaiter may block.</param>
    public void Complete(IOResult result, bool onPool)
    {
        _core.RunContinuationsAsynchronously = onPool;
        _core.SetResult(result);
    }

    IOResult IValueTaskSource<IOResult>.GetResult(short token) => TakeResult(token);

    IOStatus IValueTaskSource<IOStatus>.GetResult(short token) => TakeResult(token).Status;

    ConnectStatus IValueTaskSource<ConnectStatus>.GetResult(short token)
    {
        var status = ConnectStatus;
        TakeResult(token);
        return status;
    }

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _core.OnCompleted(continuation, state, token, flags);

    private IOResult TakeResult(short token)
    {
        var result = _core.GetResult(token);
        _core.Reset();
        Buffer = default;
        Target = null;
        loop.Return(this);
        return result;
    }
}
