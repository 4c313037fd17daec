using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using KestrelStream.Transport;
using KestrelStream.Transport.EventLoop;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>
/// Moves the bytes of one handshake between a connection and its TLS session. On the loop's thread only; a step may be taken on another
/// (<see cref="HandshakeQueue"/>), and the session is not the connection's meanwhile.
/// </summary>
internal struct LoopHandshake(LoopConnection connection, OpenSslSession tls)
{
    private HeldBytes _unsent;

    /// <summary>Shakes hands, one way or another. To be called when a step may be taken.</summary>
    /// <param name="connection">Owns the session from here on.</param>
    /// <param name="tls">The session.</param>
    /// <param name="received">Of a client: what preread has received, the ClientHello and maybe more. Of a destination nothing. Not needed any more when this returns.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<TlsStatus> RunAsync(LoopConnection connection, OpenSslSession tls, ReadOnlyMemory<byte> received)
    {
        connection.Tls = tls;
        var queue = connection.Loop.Handshakes;
        var handshake = new LoopHandshake(connection, tls);
        TlsStatus status;
        if (queue.Elsewhere() is { } first)
        {
            handshake.Give(first, received.Span);
            await queue.RunAsync(first);
            status = handshake.TakeBack(first);
        }
        else
        {
            status = handshake.Step(received.Span);
        }

        while (status == TlsStatus.NeedInput || handshake._unsent.Count > 0)
        {
            if (handshake._unsent.Count > 0)
            {
                // The peer's kernel buffers are full: nothing goes on before this was sent. A copy, because an operation that waits needs memory that
                // stays. Peers that make this happen are rare.
                var sent = await connection.SendAsync(handshake._unsent.TakeAll());
                status = sent.IsOk ? status : TlsStatus.Closed;
                continue;
            }

            if (await connection.WaitToReceiveAsync() != IOStatus.Ok)
            {
                return TlsStatus.Closed;
            }

            await queue.TurnAsync();
            if (queue.Elsewhere() is not { } slot)
            {
                status = handshake.Step();
            }
            else if (handshake.TryGive(slot, out status))
            {
                await queue.RunAsync(slot);
                status = handshake.TakeBack(slot);
            }
        }

        return status;
    }

    private readonly unsafe void Give(HandshakeSlot slot, ReadOnlySpan<byte> received)
    {
        received.CopyTo(new Span<byte>(slot.Input, TlsBuffers.InputBytes));
        Give(slot, received.Length);
    }

    /// <summary>Receives what is there. False = nothing to go on with; the status says why.</summary>
    private readonly unsafe bool TryGive(HandshakeSlot slot, out TlsStatus status)
    {
        if (!TryReceive(slot.Input, out var count, out status))
        {
            return false;
        }

        Give(slot, count);
        return true;
    }

    private readonly unsafe void Give(HandshakeSlot slot, int count)
    {
        slot.Session = tls;
        slot.Buffers.SetInput(slot.Input, count);
        tls.MoveTo(slot.Buffers);

        // Whoever closes the connection meanwhile must not free it.
        connection.Tls = null;
    }

    private unsafe TlsStatus TakeBack(HandshakeSlot slot)
    {
        slot.Session = null;
        if (connection.IsClosed)
        {
            tls.Free();
            return TlsStatus.Closed;
        }

        connection.Tls = tls;
        var status = slot.Failure is null ? Send(slot.Status) : TlsStatus.Failed;

        // Before anything else is done with it: the slot is another's next.
        tls.MoveTo(connection.Loop.Tls);
        if (slot.Failure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        fixed (byte* rest = slot.Buffers.Unread)
        {
            return status == TlsStatus.NeedRoom ? Step(rest, slot.Buffers.Unread.Length) : status;
        }
    }

    private unsafe TlsStatus Step(ReadOnlySpan<byte> received)
    {
        fixed (byte* bytes = received)
        {
            return Step(bytes, received.Length);
        }
    }

    /// <summary>Receives what is there and goes on.</summary>
    private unsafe TlsStatus Step()
    {
        var buffer = connection.Loop.Buffer;
        return TryReceive(buffer, out var count, out var status) ? Step(buffer, count) : status;
    }

    private unsafe TlsStatus Step(byte* bytes, int count)
    {
        var started = Stopwatch.GetTimestamp();
        tls.Buffers.SetInput(bytes, count);
        TlsStatus status;
        do
        {
            status = Send(tls.Handshake());
        }
        while (status == TlsStatus.NeedRoom);

        tls.Buffers.ClearInput();
        tls.FreeBuffers();
        connection.Loop.Handshakes.Taken((long)Stopwatch.GetElapsedTime(started).TotalNanoseconds);
        return status;
    }

    /// <summary>Sends what the step has written.</summary>
    /// <returns>How it goes on.</returns>
    private TlsStatus Send(TlsStatus status)
    {
        if (connection.SendTls(ref _unsent) >= 0)
        {
            return status;
        }

        // The alert of a peer that gives up may still wait to be read, but it changes nothing.
        _unsent.Release();
        return status == TlsStatus.Failed ? status : TlsStatus.Closed;
    }

    private readonly unsafe bool TryReceive(byte* buffer, out int count, out TlsStatus status)
    {
        count = connection.Receive(buffer, TlsBuffers.InputBytes);
        status = count == -Native.EAGAIN ? TlsStatus.NeedInput : TlsStatus.Closed;
        return count > 0;
    }
}
