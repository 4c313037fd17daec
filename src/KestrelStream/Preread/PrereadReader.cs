using System.Net;
using System.Runtime.CompilerServices;
using KestrelStream.Preread.Detection;
using KestrelStream.Routing;
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
        if (session.ListenerModel.Routes.GreetsAtOnce)
        {
            return PrereadOutcome.Upgrade;
        }

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
            if (buffer.Length > 0 && Judge(session.ListenerModel.Routes, buffer, session.ClientFor(session.ListenerModel.Routes)) is { } outcome)
            {
                return outcome;
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

    /// <summary>The ClientHello of a client that has asked for TLS, into a new buffer. The preread clock is running.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<PrereadOutcome> ReadHelloAsync(StreamSession session)
    {
        var buffer = session.Preread = new PrereadBuffer(budget, session.ListenerModel.Config.PrereadBufferBytes);
        while (true)
        {
            if (!buffer.TryGetRoom(out var room))
            {
                return buffer.Length >= session.ListenerModel.Config.PrereadBufferBytes ? PrereadOutcome.TooLarge : PrereadOutcome.OverBudget;
            }

            var received = await session.Transport.ReceiveAsync(room);
            if (!received.IsOk || received.Count == 0)
            {
                return session.EndReason == SessionEndReason.PrereadTimeout ? PrereadOutcome.Late : PrereadOutcome.Gone;
            }

            buffer.Advance(received.Count);
            var status = buffer.Parser.Advance(buffer.Written.Span);
            if (status != PrereadStatus.NeedMore)
            {
                return status == PrereadStatus.NotTls ? PrereadOutcome.Violation : ToOutcome(status);
            }
        }
    }

    /// <summary>
    /// For a listener that needs no bytes: what came with the PROXY header, or was left by a pipeline step, is forwarded all the same. False = the
    /// process's budget is spent.
    /// </summary>
    public bool TryTakeReceived(StreamSession session) => TryKeep(session, session.Transport.TakeUnconsumed());

    /// <summary>Makes bytes that were received elsewhere those that are forwarded first. False = the process's budget is spent.</summary>
    public bool TryKeep(StreamSession session, ReadOnlyMemory<byte> received)
    {
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

    /// <summary>Null = more bytes are needed.</summary>
    private static PrereadOutcome? Judge(RouteTable routes, PrereadBuffer buffer, EndPoint? client)
    {
        var bytes = buffer.Written.Span;
        var status = buffer.Parser.Advance(bytes);
        if (status != PrereadStatus.NotTls)
        {
            return status == PrereadStatus.NeedMore ? null : ToOutcome(status);
        }

        if (routes.TakesPostgreSql && PostgreSqlStartup.IsCancelRequest(bytes, out var length))
        {
            return bytes.Length >= length ? PrereadOutcome.Cancel : null;
        }

        if (routes.UpgradeFor(bytes, out var needsMore) is not null)
        {
            return PrereadOutcome.Upgrade;
        }

        if (!needsMore)
        {
            routes.ForNotTls(bytes, out needsMore, client);
        }

        return needsMore ? null : PrereadOutcome.NotTls;
    }

    private static PrereadOutcome ToOutcome(PrereadStatus status) => status switch
    {
        PrereadStatus.Hello => PrereadOutcome.Hello,
        PrereadStatus.NotTls => PrereadOutcome.NotTls,
        PrereadStatus.TooLarge => PrereadOutcome.TooLarge,
        _ => PrereadOutcome.Malformed,
    };
}
