using System.Runtime.CompilerServices;
using KestrelStream.Sessions;
using KestrelStream.Transport;

namespace KestrelStream.Preread;

/// <summary>
/// Reads a client's first bytes until the parser has decided. Owns buffer growth and caps; the session owns the clock, the parser the verdict.
/// Nothing is consumed: what was read stays in <see cref="StreamSession.Preread"/>. One for the process; thread-safe.
/// </summary>
internal sealed class PrereadReader(PrereadBudget budget)
{
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<PrereadOutcome> ReadAsync(StreamSession session)
    {
        var config = session.ListenerModel.Config;
        var buffer = session.Preread = new PrereadBuffer(budget, config.PrereadBufferBytes);

        var unconsumed = session.Transport.TakeUnconsumed();
        if (!unconsumed.IsEmpty && !buffer.TryAppend(unconsumed.Span))
        {
            return PrereadOutcome.TooLarge;
        }

        if (session.ListenerModel.Routes.HasServerFirst)
        {
            session.Silence = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        session.Enter(SessionPhase.Preread, config.PrereadTimeout);
        if (session.Silence is not null && buffer.Length == 0 && await IsSilentAsync(session))
        {
            return PrereadOutcome.Silence;
        }

        while (true)
        {
            if (buffer.Length > 0)
            {
                var status = buffer.Parser.Advance(buffer.Written.Span);
                if (status != PrereadStatus.NeedMore && !(status == PrereadStatus.NotTls && NeedsMore(session, buffer)))
                {
                    return ToOutcome(status);
                }
            }

            if (!buffer.TryGetRoom(out var room))
            {
                return buffer.Length >= config.PrereadBufferBytes ? PrereadOutcome.TooLarge : PrereadOutcome.OverBudget;
            }

            var received = await session.Transport.ReceiveAsync(room);
            if (!received.IsOk || received.Count == 0)
            {
                // Its own end, in the middle of a request: that is none then, and goes where other bytes go. The relay meets the end again.
                return session.EndReason == SessionEndReason.PrereadTimeout ? PrereadOutcome.Late
                    : received.IsOk && buffer.Parser.Status == PrereadStatus.NotTls ? PrereadOutcome.NotTls
                    : PrereadOutcome.Gone;
            }

            buffer.Advance(received.Count);
        }
    }

    /// <summary>
    /// For a listener that needs no bytes: what came with the PROXY header, or was left by a pipeline step, is forwarded all the same. False = the
    /// process's budget is spent.
    /// </summary>
    public bool TryTakeReceived(StreamSession session)
    {
        var received = session.Transport.TakeUnconsumed();
        if (received.IsEmpty)
        {
            return true;
        }

        session.Preread = new PrereadBuffer(budget, Math.Max(received.Length, session.ListenerModel.Config.PrereadBufferBytes));
        return session.Preread.TryAppend(received.Span);
    }

    /// <summary>Waits for the first byte or the end of the silence. The wait goes on in the relay when the server is to speak first.</summary>
    private static async ValueTask<bool> IsSilentAsync(StreamSession session)
    {
        var wait = session.Transport.WaitToReceiveAsync().AsTask();
        await Task.WhenAny(wait, session.Silence!.Task);
        await session.Environment.ResumeAsync();
        session.Silence = null;
        if (wait.IsCompleted)
        {
            return false;
        }

        session.PendingWait = wait;
        return true;
    }

    /// <summary>Whether more bytes could give the session to another route.</summary>
    private static bool NeedsMore(StreamSession session, PrereadBuffer buffer)
    {
        session.ListenerModel.Routes.ForNotTls(buffer.Written.Span, out var needsMore);
        return needsMore;
    }

    private static PrereadOutcome ToOutcome(PrereadStatus status) => status switch
    {
        PrereadStatus.Hello => PrereadOutcome.Hello,
        PrereadStatus.NotTls => PrereadOutcome.NotTls,
        PrereadStatus.TooLarge => PrereadOutcome.TooLarge,
        _ => PrereadOutcome.Malformed,
    };
}
