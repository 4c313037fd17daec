using System.Threading.Tasks.Sources;
using KestrelStream.Limits;
using KestrelStream.Sessions;

namespace KestrelStream.Transport.EventLoop;

/// <summary>
/// What both relays of the loop share: the two connections, their ends, and what the session waits for meanwhile. Pooled by its loop; on the loop's
/// thread only.
/// </summary>
/// <param name="loop">Whose thread runs it.</param>
/// <param name="newFor">Milliseconds in which its bytes do not count as such that handshakes must not be in the way of.</param>
internal abstract class SessionPump(EventLoop loop, int newFor) : ConnectionPump, IValueTaskSource, IDeferredWork
{
    private ManualResetValueTaskSourceCore<bool> _core;
    private RelayDirection _upload;
    private RelayDirection _download;
    private long _isNewUntil;
    private bool _isQueued;

    protected EventLoop Loop => loop;

    protected StreamSession Session { get; private set; } = null!;

    protected LoopConnection Client { get; private set; } = null!;

    protected LoopConnection Upstream { get; private set; } = null!;

    /// <summary>From the client.</summary>
    protected ref RelayDirection Upload => ref _upload;

    /// <summary>To the client.</summary>
    protected ref RelayDirection Download => ref _download;

    /// <summary>Both connections are closed.</summary>
    protected bool IsOver { get; private set; }

    /// <summary>Begins; ends when both directions have ended and both connections are closed.</summary>
    public ValueTask RunAsync(StreamSession session)
    {
        Session = session;
        Client = (LoopConnection)session.Client;
        Upstream = (LoopConnection)session.Upstream!;
        IsOver = false;
        Begin();

        session.EnterRelay();
        _isNewUntil = loop.Clock.Now + newFor;
        if (session.PendingWait is not null)
        {
            session.PendingWait = null;
            Client.EndWait();
        }

        Client.Pump = this;
        Upstream.Pump = this;
        if (Client.IsClosed || Upstream.IsClosed)
        {
            OnConnectionClosed();
        }
        else if (!Client.Watch() || !Upstream.Watch())
        {
            session.TryEnd(SessionEndReason.LimitExceeded);
            EndWithReset();
        }
        else
        {
            ForwardFirst();
            Flow();
        }

        return new ValueTask(this, _core.Version);
    }

    public override void OnConnectionClosed()
    {
        if (!IsOver)
        {
            EndWithReset();
        }
    }

    public void RunDeferred()
    {
        _isQueued = false;
        Flow();
    }

    public override void OnFailed(Exception exception)
    {
        if (!IsOver)
        {
            Leave();
            _core.SetException(exception);
        }
    }

    void IValueTaskSource.GetResult(short token)
    {
        try
        {
            _core.GetResult(token);
        }
        finally
        {
            _core.Reset();
            Return();
        }
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _core.OnCompleted(continuation, state, token, flags);

    /// <summary>Another session: nothing is left of the one before.</summary>
    protected virtual void Begin()
    {
        _upload = new RelayDirection { From = Client, To = Upstream, IsUpload = true, Throttle = ThrottleTo(Session.UploadBytesPerSecond) };
        _download = new RelayDirection { From = Upstream, To = Client, Throttle = ThrottleTo(Session.DownloadBytesPerSecond) };
    }

    /// <summary>What is to be sent before anything is received: the PROXY header, and what was read to find the route.</summary>
    protected abstract void ForwardFirst();

    /// <summary>Moves what can be moved one way.</summary>
    protected abstract void Flow(ref RelayDirection direction);

    /// <summary>Moves what can be moved, both ways.</summary>
    protected virtual void Flow()
    {
        Flow(ref _upload);
        Flow(ref _download);
    }

    /// <summary>To the pool.</summary>
    protected abstract void Return();

    /// <summary>Both directions have ended.</summary>
    protected void End()
    {
        if (!Session.TryEnd(SessionEndReason.Completed))
        {
            // Not a clean end: whatever is still open is visibly cut.
            EndWithReset();
            return;
        }

        Leave();
        Client.Close();
        Upstream.Close();
        _core.SetResult(true);
    }

    protected void EndWithReset()
    {
        Leave();
        Client.Reset();
        Upstream.Reset();
        Session.TryEnd(SessionEndReason.Completed);
        _core.SetResult(true);
    }

    /// <summary>Ends with one side reset already, and this one closed in order.</summary>
    protected void EndWithClose(LoopConnection last)
    {
        Leave();
        last.Close();
        _core.SetResult(true);
    }

    protected void ReceiveFailed(bool isUpload)
    {
        Session.TryEnd(isUpload ? SessionEndReason.ClientReset : SessionEndReason.UpstreamReset);
        EndWithReset();
    }

    /// <summary>
    /// The receiver is dead, but what it sent before it died may still wait to be read: a server that answers an error and closes
    /// on an unread request resets, and its answer must reach the client. So the other direction goes on until it meets the end.
    /// </summary>
    protected void SendFailed(ref RelayDirection direction)
    {
        Session.TryEnd(direction.IsUpload ? SessionEndReason.UpstreamReset : SessionEndReason.ClientReset);
        ref var other = ref Other(ref direction);
        if (other.IsOver)
        {
            EndWithReset();
            return;
        }

        Release(ref direction);
        direction.IsOver = true;
        other.IsFromDead = true;
        direction.To.IsReadable = true;
        Queue();
    }

    protected ref RelayDirection Other(ref RelayDirection direction) => ref direction.IsUpload ? ref _download : ref _upload;

    /// <summary>Bytes are under way that this side has: an end now would lose them.</summary>
    protected void Holding(ref RelayDirection direction)
    {
        if (!direction.IsHolding)
        {
            direction.IsHolding = true;
            Session.Sending(1);
        }
    }

    /// <summary>Gives buffers and pipe back.</summary>
    protected virtual void Release(ref RelayDirection direction)
    {
        if (direction.Pipe is { } pipe)
        {
            direction.Pipe = null;
            loop.Pipes.Return(pipe);
        }

        direction.Held.Release();
        if (direction.IsHolding)
        {
            direction.IsHolding = false;
            Session.Sending(-1);
        }
    }

    /// <summary>Goes on at the end of the turn.</summary>
    protected void Queue()
    {
        if (!_isQueued)
        {
            _isQueued = true;
            loop.Defer(this);
        }
    }

    /// <summary>Bytes were received.</summary>
    protected void Moved()
    {
        Session.Touch();
        if (loop.Clock.Now >= _isNewUntil)
        {
            loop.Handshakes.NoteTraffic();
        }
    }

    protected void Count(bool isUpload, int payload)
    {
        if (isUpload)
        {
            Session.CountIn(payload);
        }
        else
        {
            Session.CountOut(payload);
        }
    }

    private void Leave()
    {
        IsOver = true;
        Client.Pump = null;
        Upstream.Pump = null;
        Release(ref _upload);
        Release(ref _download);
        _upload.Throttle?.Cancel();
        _download.Throttle?.Cancel();
    }

    /// <summary>Null = as fast as it goes.</summary>
    private Throttle? ThrottleTo(int bytesPerSecond) => bytesPerSecond == 0 ? null : Throttle.Create(bytesPerSecond, loop.Clock, Queue);
}
