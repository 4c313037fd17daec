using System.Threading.Tasks.Sources;
using KestrelStream.Limits;
using KestrelStream.Sessions;
using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Transport.EventLoop;

/// <summary>
/// The relay of a session whose TLS ends here: as <see cref="RelayPump"/>, but what comes from the client is decrypted and what goes to it encrypted
/// on the way, in buffers that all sessions of the loop share. Pooled by its loop; on the loop's thread only.
/// </summary>
/// <remarks>
/// A received buffer is always given to OpenSSL whole, so that no ciphertext is ever kept here; OpenSSL itself keeps a record that was cut. Held are
/// plaintext that a slow destination did not take (then nothing is received from the client) and ciphertext that a slow client did not take (then
/// nothing is received from the destination).
/// </remarks>
internal sealed unsafe partial class TlsRelayPump(EventLoop loop) : ConnectionPump, IValueTaskSource, IDeferredWork
{
    /// <summary>Most that one direction moves before others get their turn: a byte costs some three times what it costs to pass it through.</summary>
    private const int TurnBytes = EventLoop.BufferBytes;

    /// <summary>More ciphertext than this is no answer to one buffer any more: a client that makes us answer (key updates) and does not read.</summary>
    private const int MostHeldAnswers = 2 * TlsBuffers.InputBytes;

    private ManualResetValueTaskSourceCore<bool> _core;
    private StreamSession _session = null!;
    private LoopConnection _client = null!;
    private LoopConnection _upstream = null!;
    private OpenSslSession _tls = null!;
    private Direction _upload;
    private Direction _download;

    /// <summary>Payload in what is held for the client: counted once all of it is sent.</summary>
    private int _heldPayload;
    private int _lingered;
    private bool _isLingering;
    private bool _isQueued;
    private bool _isOver;

    /// <summary>Begins; ends when both directions have ended and both connections are closed.</summary>
    public ValueTask RunAsync(StreamSession session)
    {
        _session = session;
        _client = (LoopConnection)session.Client;
        _upstream = (LoopConnection)session.Upstream!;
        _upload = new Direction { Throttle = Throttle.Create(session.UploadBytesPerSecond, loop.Clock, Queue) };
        _download = new Direction { Throttle = Throttle.Create(session.DownloadBytesPerSecond, loop.Clock, Queue) };
        _heldPayload = 0;
        _lingered = 0;
        _isLingering = false;
        _isOver = false;

        session.EnterRelay();
        _client.Pump = this;
        _upstream.Pump = this;
        if (_client.IsClosed || _upstream.IsClosed || _client.Tls is not { } tls)
        {
            OnConnectionClosed();
        }
        else if (!_client.Watch() || !_upstream.Watch())
        {
            session.TryEnd(SessionEndReason.LimitExceeded);
            EndWithReset();
        }
        else
        {
            _tls = tls;
            SendHeader();
            Upload();
            Download();
            _client.Tls?.FreeBuffers();
        }

        return new ValueTask(this, _core.Version);
    }

    public override void OnEvents(LoopConnection connection, uint events)
    {
        if (_client.IsClosed || _upstream.IsClosed)
        {
            // Given up earlier in this turn, or the client is refused; the deferred end is on its way.
            Linger();
            return;
        }

        // As in RelayPump: a reset that no receive would tell of, because none is to come.
        var isClient = connection == _client;
        if ((events & Native.EPOLLERR) != 0 && (isClient ? _upload.IsOver || _upload.Held.Count > 0 : _download.IsOver))
        {
            ReceiveFailed(isUpload: isClient);
            return;
        }

        if (!isClient)
        {
            Download();
            if (_upload.Held.Count > 0)
            {
                Upload();
            }
        }
        else
        {
            if (_download.Held.Count > 0)
            {
                Download();
            }

            Upload();
        }

        _client.Tls?.FreeBuffers();
    }

    public override void OnConnectionClosed()
    {
        if (!_isOver && !(_isLingering && !_client.IsClosed))
        {
            EndWithReset();
        }
    }

    public void RunDeferred()
    {
        _isQueued = false;
        Upload();
        Download();
        _client.Tls?.FreeBuffers();
    }

    public override void OnFailed(Exception exception)
    {
        if (!_isOver)
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
            loop.Return(this);
        }
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _core.OnCompleted(continuation, state, token, flags);

    /// <summary>It has ended, or one of its connections was closed in this turn and the end is on its way.</summary>
    private bool CannotFlow => _isOver || _isLingering || _client.IsClosed || _upstream.IsClosed;

    private void ReceiveFailed(bool isUpload)
    {
        _session.TryEnd(isUpload ? SessionEndReason.ClientReset : SessionEndReason.UpstreamReset);
        EndWithReset();
    }

    /// <summary>As in <see cref="RelayPump"/>: what the dead receiver has sent before may still wait to be read.</summary>
    private void SendFailed(bool isUpload)
    {
        _session.TryEnd(isUpload ? SessionEndReason.UpstreamReset : SessionEndReason.ClientReset);
        ref var direction = ref isUpload ? ref _upload : ref _download;
        ref var other = ref isUpload ? ref _download : ref _upload;
        if (other.IsOver)
        {
            EndWithReset();
            return;
        }

        Release(ref direction);
        direction.IsOver = true;
        other.IsFromDead = true;
        (isUpload ? _upstream : _client).IsReadable = true;
        Queue();
    }

    private void End()
    {
        if (!_session.TryEnd(SessionEndReason.Completed))
        {
            // Not a clean end: whatever is still open is visibly cut.
            EndWithReset();
            return;
        }

        Leave();
        _client.Close();
        _upstream.Close();
        _core.SetResult(true);
    }

    private void EndWithReset()
    {
        Leave();
        _client.Reset();
        _upstream.Reset();
        _session.TryEnd(SessionEndReason.Completed);
        _core.SetResult(true);
    }

    private void Leave()
    {
        _isOver = true;
        _client.Pump = null;
        _upstream.Pump = null;
        _upload.Throttle?.Cancel();
        _download.Throttle?.Cancel();
        Release(ref _upload);
        Release(ref _download);
        _tls = null!;
    }

    private void Queue()
    {
        if (!_isQueued)
        {
            _isQueued = true;
            loop.Defer(this);
        }
    }

    /// <summary>Bytes are under way that this side has: an end now would lose them.</summary>
    private void Holding(ref Direction direction)
    {
        if (!direction.IsHolding)
        {
            direction.IsHolding = true;
            _session.Sending(1);
        }
    }

    private void Release(ref Direction direction)
    {
        direction.Held.Release();
        if (direction.IsHolding)
        {
            direction.IsHolding = false;
            _session.Sending(-1);
        }
    }

    private struct Direction
    {
        /// <summary>Not yet taken by the receiver's kernel.</summary>
        public HeldBytes Held;

        /// <summary>Null = as fast as it goes.</summary>
        public Throttle? Throttle;

        /// <summary>The session counts a send under way.</summary>
        public bool IsHolding;

        /// <summary>The sender has ended, and the receiver is to be told once nothing is held.</summary>
        public bool IsEnding;

        /// <summary>Nothing will be received this way any more.</summary>
        public bool IsOver;

        /// <summary>The sender is known to be dead from sending to it.</summary>
        public bool IsFromDead;
    }
}
