using System.Buffers;
using KestrelStream.Limits;
using KestrelStream.Sessions;

namespace KestrelStream.Transport.EventLoop;

/// <summary>
/// The relay of one session as a state machine that the loop's events drive: no task, and no buffer while nobody is slow. Pooled by its loop;
/// on the loop's thread only. What it does for each end of a connection is what <see cref="Relay.SocketRelay"/> does.
/// </summary>
/// <remarks>
/// Bytes go through the loop's shared buffer: received, sent at once, and only what the receiver's kernel did not take is copied into a pooled
/// buffer. A direction that holds bytes does not receive: that is the back-pressure, and at most one buffer a direction.
/// A direction that keeps filling the buffer is a bulk transfer, and goes on through a pipe, without copying: less than half the CPU a gigabyte.
/// </remarks>
internal sealed unsafe class RelayPump(EventLoop loop) : SessionPump(loop)
{
    /// <summary>Most that one direction moves before others get their turn. Twice as much costs no less CPU, and doubles what a small message waits beside bulk transfers.</summary>
    private const int TurnBytes = 2 * EventLoop.BufferBytes;

    /// <summary>Full buffers in a row that make a bulk transfer.</summary>
    private const int BulkAfter = 4;

    /// <summary>Less than this at a time is cheaper to copy: two calls and no third one that says EAGAIN.</summary>
    private const int SmallSplice = 16 * 1024;

    private Direction _upload;
    private Direction _download;

    public override void OnEvents(LoopConnection connection, uint events)
    {
        if (Client.IsClosed || Upstream.IsClosed)
        {
            // Given up earlier in this turn; the deferred end is on its way.
            return;
        }

        var isClient = connection == Client;
        ref var inbound = ref isClient ? ref _upload : ref _download;
        ref var outbound = ref isClient ? ref _download : ref _upload;

        // A receive would tell of the reset behind the last byte, but none is to come here: this direction has ended, or it waits for
        // a slow destination. A client that resets wants nothing delivered any more. A destination that resets may have answered first:
        // while its answer waits for a slow client, the answer goes first.
        if ((events & Native.EPOLLERR) != 0 && (inbound.IsOver || (isClient && inbound.HeldCount > 0)))
        {
            ReceiveFailed(inbound.IsUpload);
            return;
        }

        Flow(ref inbound);
        if (outbound.HeldCount > 0)
        {
            Flow(ref outbound);
        }
    }

    protected override void Begin()
    {
        _upload = new Direction { From = Client, To = Upstream, IsUpload = true, Throttle = ThrottleTo(Session.UploadBytesPerSecond) };
        _download = new Direction { From = Upstream, To = Client, Throttle = ThrottleTo(Session.DownloadBytesPerSecond) };
    }

    protected override void Flow()
    {
        Flow(ref _upload);
        Flow(ref _download);
    }

    protected override void Release()
    {
        _upload.Throttle?.Cancel();
        _download.Throttle?.Cancel();
        Release(ref _upload);
        Release(ref _download);
    }

    protected override void Return() => Loop.Return(this);

    /// <summary>The PROXY header and what was read to find the route go first.</summary>
    protected override void ForwardFirst()
    {
        if (!Session.UpstreamHeader.IsEmpty)
        {
            ForwardHeader();
        }
        else if (Session.Preread is { Length: > 0 } preread)
        {
            fixed (byte* bytes = preread.Written.Span)
            {
                Forward(ref _upload, bytes, preread.Length);
            }
        }

        Session.ReleasePreread();
    }

    /// <summary>In one send. The header is none of the client's bytes, and not counted as such.</summary>
    private void ForwardHeader()
    {
        var header = Session.UpstreamHeader.Span;
        var first = Session.Preread is { } preread ? preread.Written.Span : default;
        var count = header.Length + first.Length;
        var buffer = ArrayPool<byte>.Shared.Rent(count);
        header.CopyTo(buffer);
        first.CopyTo(buffer.AsSpan(header.Length));
        Session.UpstreamHeader = default;

        int sent;
        fixed (byte* bytes = buffer)
        {
            sent = Upstream.Send(bytes, count);
        }

        if (sent < 0)
        {
            SendFailed(ref _upload);
        }
        else
        {
            Count(isUpload: true, Math.Max(0, sent - header.Length));
            if (sent < count)
            {
                _upload.Hold(buffer.AsSpan(sent, count - sent));
                Holding(ref _upload);
            }
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>Moves what can be moved one way.</summary>
    private void Flow(ref Direction direction)
    {
        if (IsOver || direction.IsOver || (direction.HeldCount > 0 && !Flush(ref direction)))
        {
            return;
        }

        var from = direction.From;
        for (var left = TurnBytes; from.IsReadable;)
        {
            if (left <= 0)
            {
                Queue();
                return;
            }

            var room = EventLoop.BufferBytes;
            if (direction.Throttle is { } throttle && (room = throttle.Allow(room)) == 0)
            {
                return;
            }

            if (direction.FullReceives >= BulkAfter && !from.HasUrgent && direction.Throttle is null)
            {
                if (!FlowSpliced(ref direction, ref left))
                {
                    return;
                }

                continue;
            }

            var isEnding = from is { PeerHasEnded: true, IsBroken: false };
            var received = from.Receive(Loop.Buffer, room);
            if (received > 0)
            {
                left -= received;
                direction.Throttle?.Take(received);
                direction.FullReceives = received == EventLoop.BufferBytes ? direction.FullReceives + 1 : 0;
                Session.Touch();
                if (!Forward(ref direction, Loop.Buffer, received))
                {
                    return;
                }

                // The FIN had arrived before this short read: there is nothing behind it, and no need of a call that says 0.
                if (isEnding && received < room && !from.HasUrgent)
                {
                    ReceivedEnd(ref direction);
                    return;
                }
            }
            else if (received == 0)
            {
                ReceivedEnd(ref direction);
                return;
            }
            else if (received != -Native.EAGAIN)
            {
                ReceiveFailed(direction.IsUpload);
                return;
            }
        }
    }

    /// <summary>Moves one pipe full. False = the direction cannot go on now.</summary>
    private bool FlowSpliced(ref Direction direction, ref int left)
    {
        direction.Pipe ??= Loop.Pipes.TryRent();
        var moved = direction.Pipe is { } pipe ? direction.From.SpliceInto(pipe) : 0;
        if (moved <= 0)
        {
            Release(ref direction);
            if (moved is < 0 and not (-Native.EAGAIN or -Native.EINVAL or -Native.ENOMEM))
            {
                // The kernel tells of a reset once: a receive after this would see a mere end.
                ReceiveFailed(direction.IsUpload);
                return false;
            }

            // Drained, and still a bulk transfer when more comes. Anything else (no pipe, the end, urgent data) is for a receive to find out.
            direction.FullReceives = moved == -Native.EAGAIN ? BulkAfter : 0;
            return true;
        }

        left -= moved;
        direction.FullReceives = moved < SmallSplice ? 0 : BulkAfter;
        Session.Touch();
        direction.HeldCount = moved;
        if (FlushPipe(ref direction))
        {
            if (direction.FullReceives == 0)
            {
                Release(ref direction);
            }

            return true;
        }

        if (!direction.IsOver && !IsOver)
        {
            Holding(ref direction);
        }

        return false;
    }

    /// <summary>Sends what the pipe holds. True = all of it is gone.</summary>
    private bool FlushPipe(ref Direction direction)
    {
        // Until the kernel says EAGAIN: only that promises an event.
        while (direction.HeldCount > 0)
        {
            var sent = direction.To.SpliceFrom(direction.Pipe!, direction.HeldCount);
            if (sent < 0)
            {
                SendFailed(ref direction);
                return false;
            }

            if (sent == 0)
            {
                return false;
            }

            Count(direction.IsUpload, sent);
            direction.HeldCount -= sent;
        }

        return true;
    }

    /// <summary>Sends; what the kernel does not take is held. False = the direction cannot go on now.</summary>
    private bool Forward(ref Direction direction, byte* bytes, int count)
    {
        var sent = direction.To.Send(bytes, count);
        if (sent < 0)
        {
            SendFailed(ref direction);
            return false;
        }

        Count(direction.IsUpload, sent);
        if (sent == count)
        {
            return true;
        }

        direction.Hold(new ReadOnlySpan<byte>(bytes + sent, count - sent));
        Holding(ref direction);
        return false;
    }

    /// <summary>Sends what is held. True = all of it is gone.</summary>
    private bool Flush(ref Direction direction)
    {
        if (!direction.To.IsWritable)
        {
            return false;
        }

        Session.Touch();
        if (direction.Held is null)
        {
            if (!FlushPipe(ref direction))
            {
                return false;
            }

            Release(ref direction);
            return true;
        }

        int sent;
        fixed (byte* bytes = direction.Held)
        {
            sent = direction.To.Send(bytes + direction.HeldStart, direction.HeldCount);
        }

        if (sent < 0)
        {
            SendFailed(ref direction);
            return false;
        }

        Count(direction.IsUpload, sent);
        direction.HeldStart += sent;
        direction.HeldCount -= sent;
        if (direction.HeldCount > 0)
        {
            return false;
        }

        Release(ref direction);
        return true;
    }

    /// <summary>FIN is passed on after everything that was read before it has been handed to the kernel.</summary>
    private void ReceivedEnd(ref Direction direction)
    {
        if (direction.IsFromDead)
        {
            // The kernel told of the reset when we sent, and shows an end to the one who reads.
            ReceiveFailed(direction.IsUpload);
            return;
        }

        ref var other = ref Other(ref direction);
        if (other.IsOver)
        {
            // Closing sends the FIN.
            End();
            return;
        }

        if (direction.To.ShutdownSend() < 0)
        {
            SendFailed(ref direction);
            return;
        }

        direction.IsOver = true;
        Session.HalfClosed();
    }

    /// <summary>
    /// The receiver is dead, but what it sent before it died may still wait to be read: a server that answers an error and closes
    /// on an unread request resets, and its answer must reach the client. So the other direction goes on until it meets the end.
    /// </summary>
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

    /// <summary>Gives buffer and pipe back.</summary>
    private void Release(ref Direction direction)
    {
        if (direction.Pipe is { } pipe)
        {
            direction.Pipe = null;
            Loop.Pipes.Return(pipe, isEmpty: direction.HeldCount == 0 || direction.Held is not null);
        }

        if (direction.Held is { } held)
        {
            direction.Held = null;
            ArrayPool<byte>.Shared.Return(held);
        }

        direction.HeldCount = 0;
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

        /// <summary>What was received and not yet taken by the receiver's kernel, when it was copied.</summary>
        public byte[]? Held;
        public int HeldStart;

        /// <summary>Bytes in <see cref="Held"/>, or in <see cref="Pipe"/> when that is null.</summary>
        public int HeldCount;

        /// <summary>Of a bulk transfer.</summary>
        public SplicePipe? Pipe;

        /// <summary>Null = as fast as it goes.</summary>
        public Throttle? Throttle;

        /// <summary>Receives in a row that filled the buffer.</summary>
        public int FullReceives;

        /// <summary>The session counts a send under way.</summary>
        public bool IsHolding;

        public bool IsUpload;

        /// <summary>Nothing will be received this way any more.</summary>
        public bool IsOver;

        /// <summary><see cref="From"/> is known to be dead from sending to it.</summary>
        public bool IsFromDead;

        public void Hold(ReadOnlySpan<byte> bytes)
        {
            Held = ArrayPool<byte>.Shared.Rent(bytes.Length);
            HeldStart = 0;
            HeldCount = bytes.Length;
            bytes.CopyTo(Held);
        }
    }
}
