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
internal sealed unsafe class RelayPump(EventLoop loop) : SessionPump(loop, newFor: 0)
{
    /// <summary>Most that one direction moves before others get their turn. Twice as much costs no less CPU, and doubles what a small message waits beside bulk transfers.</summary>
    private const int TurnBytes = 2 * EventLoop.BufferBytes;

    /// <summary>Full buffers in a row that make a bulk transfer.</summary>
    private const byte BulkAfter = 4;

    /// <summary>Less than this at a time is cheaper to copy: two calls and no third one that says EAGAIN.</summary>
    private const int SmallSplice = 16 * 1024;

    public override void OnEvents(LoopConnection connection, uint events)
    {
        if (Client.IsClosed || Upstream.IsClosed)
        {
            // Given up earlier in this turn; the deferred end is on its way.
            return;
        }

        var isClient = connection == Client;
        ref var inbound = ref isClient ? ref Upload : ref Download;
        ref var outbound = ref isClient ? ref Download : ref Upload;

        // A receive would tell of the reset behind the last byte, but none is to come here: this direction has ended, or it waits for
        // a slow destination. A client that resets wants nothing delivered any more. A destination that resets may have answered first:
        // while its answer waits for a slow client, the answer goes first.
        if ((events & Native.EPOLLERR) != 0 && (inbound.IsOver || (isClient && inbound.WaitingCount > 0)))
        {
            ReceiveFailed(inbound.IsUpload);
            return;
        }

        Flow(ref inbound);
        if (outbound.WaitingCount > 0)
        {
            Flow(ref outbound);
        }
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
                Forward(ref Upload, bytes, preread.Length);
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
            SendFailed(ref Upload);
        }
        else
        {
            Count(isUpload: true, Math.Max(0, sent - header.Length));
            if (sent < count)
            {
                Upload.Held.Add(buffer.AsSpan(sent, count - sent));
                Holding(ref Upload);
            }
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }

    protected override void Flow(ref RelayDirection direction)
    {
        if (IsOver || direction.IsOver || (direction.WaitingCount > 0 && !Flush(ref direction)))
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
                direction.FullReceives = received < EventLoop.BufferBytes ? (byte)0 : (byte)Math.Min(direction.FullReceives + 1, BulkAfter);
                Moved();
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
    private bool FlowSpliced(ref RelayDirection direction, ref int left)
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
            direction.FullReceives = moved == -Native.EAGAIN ? BulkAfter : (byte)0;
            return true;
        }

        left -= moved;
        direction.FullReceives = moved < SmallSplice ? (byte)0 : BulkAfter;
        Moved();
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
    private bool FlushPipe(ref RelayDirection direction)
    {
        // Until the kernel says EAGAIN: only that promises an event.
        while (direction.PipedCount > 0)
        {
            var sent = direction.To.SpliceFrom(direction.Pipe!);
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
        }

        return true;
    }

    /// <summary>Sends; what the kernel does not take is held. False = the direction cannot go on now.</summary>
    private bool Forward(ref RelayDirection direction, byte* bytes, int count)
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

        direction.Held.Add(new ReadOnlySpan<byte>(bytes + sent, count - sent));
        Holding(ref direction);
        return false;
    }

    /// <summary>Sends what is held. True = all of it is gone.</summary>
    private bool Flush(ref RelayDirection direction)
    {
        if (!direction.To.IsWritable)
        {
            return false;
        }

        Session.Touch();
        if (direction.PipedCount > 0)
        {
            if (!FlushPipe(ref direction))
            {
                return false;
            }

            Release(ref direction);
            return true;
        }

        var sent = direction.Held.SendTo(direction.To);
        if (sent < 0)
        {
            SendFailed(ref direction);
            return false;
        }

        Count(direction.IsUpload, sent);
        if (direction.Held.Count > 0)
        {
            return false;
        }

        Release(ref direction);
        return true;
    }

    /// <summary>FIN is passed on after everything that was read before it has been handed to the kernel.</summary>
    private void ReceivedEnd(ref RelayDirection direction)
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
}
