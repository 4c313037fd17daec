using KestrelStream.Limits;
using KestrelStream.Sessions;
using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Transport.EventLoop;

/// <summary>
/// The relay of a session that has TLS on one side or on both: as <see cref="RelayPump"/>, but what comes from such a side is decrypted and what goes to
/// it encrypted on the way, in buffers that all sessions of the loop share. Pooled by its loop; on the loop's thread only.
/// </summary>
/// <remarks>
/// A received buffer is always given to OpenSSL whole, so that no ciphertext is ever kept here; OpenSSL itself keeps a record that was cut. Held is
/// what a slow receiver did not take, as it is to be sent; then nothing more is received for it.
/// </remarks>
internal sealed unsafe partial class TlsRelayPump(EventLoop loop) : SessionPump(loop)
{
    /// <summary>Most that one direction moves before others get their turn: a byte costs some three times what it costs to pass it through.</summary>
    private const int TurnBytes = EventLoop.BufferBytes;

    /// <summary>More ciphertext than this is no answer to one buffer any more: a peer that makes us answer (key updates) and does not read.</summary>
    private const int MostHeldAnswers = 2 * TlsBuffers.InputBytes;

    private Direction _upload;
    private Direction _download;

    /// <summary>Has broken the rules of TLS, and is read only so that its alert is not overtaken by a reset; null = nobody has.</summary>
    private LoopConnection? _lingering;
    private int _lingered;

    public override void OnEvents(LoopConnection connection, uint events)
    {
        if (CannotFlow)
        {
            // Given up earlier in this turn, or a peer is refused; the deferred end is on its way.
            Linger();
            return;
        }

        var isClient = connection == Client;
        ref var inbound = ref isClient ? ref _upload : ref _download;
        ref var outbound = ref isClient ? ref _download : ref _upload;

        // As in RelayPump: a reset that no receive would tell of, because none is to come.
        if ((events & Native.EPOLLERR) != 0 && (inbound.IsOver || (isClient && inbound.Held.Count > 0)))
        {
            ReceiveFailed(inbound.IsUpload);
            return;
        }

        if (outbound.Held.Count > 0)
        {
            Flow(ref outbound);
        }

        Flow(ref inbound);
        if (outbound.Unwritten.Count > 0)
        {
            // It has waited for what its receiver had to say first.
            Flow(ref outbound);
        }

        FreeBuffers();
    }

    public override void OnConnectionClosed()
    {
        if (_lingering is not { IsClosed: false })
        {
            base.OnConnectionClosed();
        }
    }

    protected override void Begin()
    {
        _upload = new Direction { From = Client, To = Upstream, IsUpload = true, Throttle = ThrottleTo(Session.UploadBytesPerSecond) };
        _download = new Direction { From = Upstream, To = Client, Throttle = ThrottleTo(Session.DownloadBytesPerSecond) };
        _lingering = null;
        _lingered = 0;
    }

    protected override void Flow()
    {
        Flow(ref _upload);
        Flow(ref _download);
        FreeBuffers();
    }

    protected override void Release()
    {
        _upload.Throttle?.Cancel();
        _download.Throttle?.Cancel();
        Release(ref _upload);
        Release(ref _download);
    }

    protected override void Return() => Loop.Return(this);

    /// <summary>It has ended, or one of its connections was closed in this turn and the end is on its way.</summary>
    private bool CannotFlow => IsOver || _lingering is not null || Client.IsClosed || Upstream.IsClosed;

    /// <summary>As in <see cref="RelayPump"/>: what the dead receiver has sent before may still wait to be read.</summary>
    private void SendFailed(ref Direction direction)
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

    private void FreeBuffers()
    {
        Client.Tls?.FreeBuffers();
        Upstream.Tls?.FreeBuffers();
    }

    private ref Direction Other(ref Direction direction) => ref direction.IsUpload ? ref _download : ref _upload;

    /// <summary>Bytes are under way that this side has: an end now would lose them.</summary>
    private void Holding(ref Direction direction)
    {
        if (!direction.IsHolding)
        {
            direction.IsHolding = true;
            Session.Sending(1);
        }
    }

    private void Release(ref Direction direction)
    {
        direction.Held.Release();
        direction.Unwritten.Release();
        if (direction.IsHolding)
        {
            direction.IsHolding = false;
            Session.Sending(-1);
        }
    }

    private struct Direction
    {
        public LoopConnection From;
        public LoopConnection To;

        /// <summary>As it is to be sent, and not yet taken by the receiver's kernel.</summary>
        public HeldBytes Held;

        /// <summary>Not encrypted yet, because OpenSSL wants to hear more from the receiver first; behind <see cref="Held"/>.</summary>
        public HeldBytes Unwritten;

        /// <summary>Payload in <see cref="Held"/>: counted once all of it is sent.</summary>
        public int HeldPayload;

        /// <summary>Null = as fast as it goes. Counts payload.</summary>
        public Throttle? Throttle;

        public bool IsUpload;

        /// <summary>The session counts a send under way.</summary>
        public bool IsHolding;

        /// <summary>The sender has ended, and the receiver is to be told once nothing is held.</summary>
        public bool IsEnding;

        /// <summary>Where it speaks TLS, close_notify is written.</summary>
        public bool HasToldEnd;

        /// <summary>Nothing will be received this way any more.</summary>
        public bool IsOver;

        /// <summary>The sender is known to be dead from sending to it.</summary>
        public bool IsFromDead;
    }
}
