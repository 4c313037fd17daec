using System.Buffers;
using KestrelStream.Limits;
using KestrelStream.Sessions;
using KestrelStream.Transport;

namespace KestrelStream.Relay;

/// <summary>
/// The relay of the portable engine: one copy loop a direction over any two connections, plain or TLS. An idle direction holds no more than
/// <see cref="SmallBytes"/>; a slow reader stops its sender, with at most one buffer between them. One for the process; thread-safe.
/// </summary>
internal sealed class SocketRelay : IStreamRelay
{
    /// <summary>As much as one receive takes. A larger one gains nothing on loopback; a smaller one costs system calls.</summary>
    private const int BufferBytes = 64 * 1024;

    /// <summary>
    /// What a direction waits with. A message that fits costs one receive; waiting without any buffer (a zero-byte receive) would cost one
    /// more, and on Unix comes back at once, with nothing, after every short receive.
    /// </summary>
    private const int SmallBytes = 512;

    /// <summary>Most that one direction moves before others get their turn: where completions run on the polling thread, nobody else would.</summary>
    private const int TurnBytes = 8 * BufferBytes;

    public async ValueTask RunAsync(StreamSession session)
    {
        session.EnterRelay();
        var state = new State(session);

        // Both directions start on this thread and go on where their bytes arrive.
        var upload = CopyAsync(state, isUpload: true);
        await CopyAsync(state, isUpload: false);
        await upload;

        if (session.TryEnd(SessionEndReason.Completed))
        {
            session.Client.Close();
            session.Upstream!.Close();
        }
        else
        {
            // Not a clean end: whatever is still open is visibly cut. Does nothing where it is closed already.
            session.ResetBoth();
        }
    }

    private static async ValueTask CopyAsync(State state, bool isUpload)
    {
        var session = state.Session;
        var from = isUpload ? session.Client : session.Upstream!;
        var to = isUpload ? session.Upstream! : session.Client;

        if (isUpload && !await SendFirstAsync(state, to))
        {
            return;
        }

        if (isUpload && session.PendingWait is { } pending)
        {
            session.PendingWait = null;
            await pending;
        }

        if (Throttle.Create(isUpload ? session.UploadBytesPerSecond : session.DownloadBytesPerSecond, session.Environment.Clock) is { } throttle)
        {
            await CopyThrottledAsync(state, isUpload, from, to, throttle);
            return;
        }

        if (from.HoldsBuffersWhileReceiving)
        {
            await CopyByWaitingAsync(state, isUpload, from, to);
            return;
        }

        var small = GC.AllocateUninitializedArray<byte>(SmallBytes);
        while (true)
        {
            var received = await from.ReceiveAsync(small);
            if (received is { IsOk: true, Count: SmallBytes })
            {
                if (!await CopyWaitingBytesAsync(state, isUpload, from, to, small))
                {
                    return;
                }
            }
            else if (!await ForwardAsync(state, isUpload, from, to, received, small))
            {
                return;
            }
        }
    }

    /// <summary>The PROXY header, and behind it in the same send what was read to find the route. False = the direction is over.</summary>
    private static async ValueTask<bool> SendFirstAsync(State state, StreamConnection to)
    {
        var session = state.Session;
        var header = session.UpstreamHeader;
        var first = session.Preread is { Length: > 0 } preread && session.Tls is null ? preread.Written : default;
        if (header.IsEmpty && first.IsEmpty)
        {
            return true;
        }

        session.UpstreamHeader = default;
        var sent = await SendAsync(session, to, header.IsEmpty ? first : first.IsEmpty ? header : (byte[])[.. header.Span, .. first.Span]);
        session.CountIn(Math.Max(0, sent.Count - header.Length));
        if (!first.IsEmpty)
        {
            session.ReleasePreread();
        }

        if (!sent.IsOk)
        {
            state.SendFailed(isUpload: true, sent.Status);
        }

        return sent.IsOk;
    }

    /// <summary>Moves what is there already, through a large buffer. False = the direction is over.</summary>
    /// <param name="state">The session's.</param>
    /// <param name="isUpload">The direction.</param>
    /// <param name="from">Where bytes come from.</param>
    /// <param name="to">Where they go.</param>
    /// <param name="first">Received already.</param>
    private static async ValueTask<bool> CopyWaitingBytesAsync(State state, bool isUpload, StreamConnection from, StreamConnection to, byte[] first)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            first.CopyTo(buffer, 0);
            var count = first.Length;
            var left = TurnBytes;
            while (from.TryReceive(buffer.AsMemory(count), out var received))
            {
                if (count > 0)
                {
                    if (received is not { IsOk: true, Count: > 0 })
                    {
                        // The bytes before the end go first.
                        if (!await ForwardAsync(state, isUpload, from, to, new IOResult(count, IOStatus.Ok), buffer))
                        {
                            return false;
                        }
                    }
                    else
                    {
                        received = new IOResult(count + received.Count, IOStatus.Ok);
                    }

                    count = 0;
                }

                if (!await ForwardAsync(state, isUpload, from, to, received, buffer))
                {
                    return false;
                }

                left -= received.Count;
                if (left <= 0)
                {
                    left = TurnBytes;
                    await Task.Yield();
                }
            }

            return count == 0 || await ForwardAsync(state, isUpload, from, to, new IOResult(count, IOStatus.Ok), buffer);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The same for a connection whose receive holds buffers of its own while it waits: waits first, then receives what is there.</summary>
    private static async ValueTask CopyByWaitingAsync(State state, bool isUpload, StreamConnection from, StreamConnection to)
    {
        var left = TurnBytes;
        while (true)
        {
            var waited = await from.WaitToReceiveAsync();
            if (waited != IOStatus.Ok)
            {
                state.ReceiveFailed(isUpload, waited);
                return;
            }

            if (!await CopyOneAsync(state, isUpload, from, to))
            {
                return;
            }

            left -= BufferBytes / 4;
            if (left <= 0)
            {
                left = TurnBytes;
                await Task.Yield();
            }
        }
    }

    /// <summary>No more at a time than the limit allows.</summary>
    private static async ValueTask CopyThrottledAsync(State state, bool isUpload, StreamConnection from, StreamConnection to, Throttle throttle)
    {
        var session = state.Session;
        while (true)
        {
            var room = throttle.Allow(BufferBytes);
            if (room == 0)
            {
                await throttle.WaitAsync();
                continue;
            }

            var waited = await from.WaitToReceiveAsync();
            if (waited != IOStatus.Ok)
            {
                state.ReceiveFailed(isUpload, waited);
                return;
            }

            var moved = isUpload ? session.BytesIn : session.BytesOut;
            if (!await CopyOneAsync(state, isUpload, from, to, room))
            {
                return;
            }

            throttle.Take((int)((isUpload ? session.BytesIn : session.BytesOut) - moved));
        }
    }

    /// <summary>One receive, one send. A method of its own: its buffer must not outlive it in a state machine that goes on to wait.</summary>
    private static async ValueTask<bool> CopyOneAsync(State state, bool isUpload, StreamConnection from, StreamConnection to, int room = BufferBytes)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            return await ForwardAsync(state, isUpload, from, to, await from.ReceiveAsync(buffer.AsMemory(0, room)), buffer);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Passes on what a receive has brought: bytes, the end, or a reset. False = the direction is over.</summary>
    private static async ValueTask<bool> ForwardAsync(State state, bool isUpload, StreamConnection from, StreamConnection to, IOResult received, byte[] buffer)
    {
        var session = state.Session;
        if (received.Status == IOStatus.Truncated && session.EndsWithoutNotify)
        {
            received = new IOResult(0, IOStatus.Ok);
        }

        if (!received.IsOk)
        {
            state.ReceiveFailed(isUpload, received.Status);
            return false;
        }

        if (received.Count == 0)
        {
            await EndAsync(state, isUpload, from, to);
            return false;
        }

        session.Touch();
        var sent = await SendAsync(session, to, buffer.AsMemory(0, received.Count));
        if (isUpload)
        {
            session.CountIn(sent.Count);
        }
        else
        {
            session.CountOut(sent.Count);
        }

        if (!sent.IsOk)
        {
            state.SendFailed(isUpload, sent.Status);
        }

        return sent.IsOk;
    }

    private static async ValueTask<IOResult> SendAsync(StreamSession session, StreamConnection to, ReadOnlyMemory<byte> bytes)
    {
        session.Sending(1);
        var sent = await to.SendAsync(bytes);
        session.Sending(-1);
        session.Touch();
        return sent;
    }

    /// <summary>FIN is passed on after everything that was read before it has been handed to the kernel.</summary>
    private static async ValueTask EndAsync(State state, bool isUpload, StreamConnection from, StreamConnection to)
    {
        // Asked once more, because the other direction may have sent its FIN meanwhile: with both ends of the connection over, it looks like one that was reset.
        if (state.IsBroken(isUpload) || (!state.HasOtherEnded(isUpload) && from.WasReset() && !state.HasOtherEnded(isUpload)))
        {
            state.ReceiveFailed(isUpload, IOStatus.Reset);
            return;
        }

        // Marked before FIN goes out: its answer may come at once, and that end is no reset.
        var isLast = state.Ended(isUpload);
        if (isLast && to.ClosesOrderly)
        {
            // Closing, which comes next, sends the FIN.
            return;
        }

        if (await to.ShutdownSendAsync() is not IOStatus.Ok and var status)
        {
            state.SendFailed(isUpload, status);
        }
        else if (!isLast)
        {
            state.Session.HalfClosed();
        }
    }

    /// <summary>What the two directions of one session know of each other.</summary>
    private sealed class State(StreamSession session)
    {
        private const int UploadEnded = 1;
        private const int DownloadEnded = 2;
        private const int UploadBroken = 4;
        private const int DownloadBroken = 8;

        private int _flags;

        public StreamSession Session { get; } = session;

        /// <summary>Marks a direction ended; true = both are.</summary>
        public bool Ended(bool isUpload)
        {
            var other = isUpload ? DownloadEnded : UploadEnded;
            return (Interlocked.Or(ref _flags, isUpload ? UploadEnded : DownloadEnded) & other) != 0;
        }

        /// <summary>Whether the connection this direction reads from is known to be dead from sending to it.</summary>
        public bool IsBroken(bool isUpload) => (Volatile.Read(ref _flags) & (isUpload ? DownloadBroken : UploadBroken)) != 0;

        /// <summary>Whether the other direction has ended: then nothing is being sent to the connection this one reads from.</summary>
        public bool HasOtherEnded(bool isUpload) => (Volatile.Read(ref _flags) & (isUpload ? DownloadEnded : UploadEnded)) != 0;

        public void ReceiveFailed(bool isUpload, IOStatus status)
        {
            if (status != IOStatus.Aborted)
            {
                Session.TryEnd(isUpload ? SessionEndReason.ClientReset : SessionEndReason.UpstreamReset);
            }

            Session.ResetBoth();
        }

        /// <summary>
        /// The receiver is dead, but what it sent before it died may still wait to be read: a server that answers an error and closes
        /// on an unread request resets, and its answer must reach the client. So the other direction goes on until it meets the end.
        /// </summary>
        public void SendFailed(bool isUpload, IOStatus status)
        {
            if (status == IOStatus.Aborted)
            {
                Session.ResetBoth();
                return;
            }

            Session.TryEnd(isUpload ? SessionEndReason.UpstreamReset : SessionEndReason.ClientReset);
            var broken = isUpload ? UploadBroken : DownloadBroken;
            var other = isUpload ? DownloadEnded : UploadEnded;
            if ((Interlocked.Or(ref _flags, broken) & other) != 0)
            {
                Session.ResetBoth();
            }
        }
    }
}
