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
internal sealed unsafe partial class TlsRelayPump(EventLoop loop) : SessionPump(loop, NewFor)
{
    /// <summary>Most that one direction moves before others get their turn: a byte costs some three times what it costs to pass it through.</summary>
    private const int TurnBytes = EventLoop.BufferBytes;

    /// <summary>More ciphertext than this is no answer to one buffer any more: a peer that makes us answer (key updates) and does not read.</summary>
    private const int MostHeldAnswers = 2 * TlsBuffers.InputBytes;

    /// <summary>Milliseconds in which a session is one of those that have only just shaken hands.</summary>
    private const int NewFor = 1000;

    private Sending _uploadSending;
    private Sending _downloadSending;

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
        ref var inbound = ref isClient ? ref Upload : ref Download;
        ref var outbound = ref isClient ? ref Download : ref Upload;

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
        if (SendingOf(ref outbound).Unwritten.Count > 0)
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
        base.Begin();
        _uploadSending = default;
        _downloadSending = default;
        _lingering = null;
        _lingered = 0;
    }

    protected override void Flow()
    {
        base.Flow();
        FreeBuffers();
    }

    protected override void Release(ref RelayDirection direction)
    {
        SendingOf(ref direction).Unwritten.Release();
        base.Release(ref direction);
    }

    protected override void Return() => Loop.Return(this);

    /// <summary>It has ended, or one of its connections was closed in this turn and the end is on its way.</summary>
    private bool CannotFlow => IsOver || _lingering is not null || Client.IsClosed || Upstream.IsClosed;

    private void FreeBuffers()
    {
        Client.Tls?.FreeBuffers();
        Upstream.Tls?.FreeBuffers();
    }

    private ref Sending SendingOf(ref RelayDirection direction) => ref direction.IsUpload ? ref _uploadSending : ref _downloadSending;

    /// <summary>What a direction must know besides, because what is sent is not what was received.</summary>
    private struct Sending
    {
        /// <summary>Not encrypted yet, because OpenSSL wants to hear more from the receiver first; behind what the direction holds.</summary>
        public HeldBytes Unwritten;

        /// <summary>Payload among what the direction holds: counted once all of it is sent.</summary>
        public int HeldPayload;

        /// <summary>The sender has ended, and the receiver is to be told once nothing is held.</summary>
        public bool IsEnding;

        /// <summary>Where it speaks TLS, close_notify is written.</summary>
        public bool HasToldEnd;
    }
}
