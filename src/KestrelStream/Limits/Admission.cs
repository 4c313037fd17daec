using System.Runtime.CompilerServices;
using KestrelStream.Access;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Model;
using KestrelStream.Sessions;
using KestrelStream.Tls;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Limits;

/// <summary>
/// Says of every session, at each step that makes it dearer, whether it may go on: at accept, once its client is known, once its route is known, and before TLS.
/// One that may not is ended here. One for the process; thread-safe.
/// </summary>
internal sealed partial class Admission(StreamProxyMetrics metrics, TimeProvider time, ILogger<Admission> logger)
{
    /// <summary>How often a session that waits looks whether there is room, and whether its client is still there.</summary>
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(200);

    private int _maxSessions = int.MaxValue;
    private int _sessions;

    /// <summary>Holds back handshakes beyond the limit of the process.</summary>
    public HandshakeGate Handshakes { get; } = new();

    /// <summary>Limits of the process; at once.</summary>
    public void Apply(ProcessLimitsConfig limits)
    {
        Volatile.Write(ref _maxSessions, limits.MaxSessions ?? int.MaxValue);
        Handshakes.Max = limits.MaxHandshakes;
    }

    /// <summary>At accept, before anything is known of the client: a place in the process and in the listener, until <see cref="Leave"/>.</summary>
    public bool TryEnter(ListenerState listener)
    {
        if (Interlocked.Increment(ref _sessions) <= Volatile.Read(ref _maxSessions) && listener.TryEnter())
        {
            return true;
        }

        Interlocked.Decrement(ref _sessions);
        return false;
    }

    /// <summary>Gives back everything that a session has been let in with.</summary>
    public void Leave(StreamSession session)
    {
        if (session.HoldsListenerLimits)
        {
            session.ListenerModel.Limits!.Leave(session.AdmittedClient);
        }

        if (session.HoldsRouteLimits)
        {
            session.Route!.Limits!.Leave(session.AdmittedClient);
        }

        session.Listener.Leave();
        Interlocked.Decrement(ref _sessions);
    }

    /// <summary>Once the client is known: by its own address, or by a PROXY header. False = the session has ended.</summary>
    public ValueTask<bool> AdmitAsync(StreamSession session)
    {
        var listener = session.ListenerModel;
        return listener.Access is null && listener.Limits is null
            ? ValueTask.FromResult(true)
            : AdmitAsync(session, listener.Access, listener.Limits, listener.Config.DenyAction, isRoute: false);
    }

    /// <summary>Once the route is known. False = the session has ended.</summary>
    public ValueTask<bool> AdmitToRouteAsync(StreamSession session, RouteModel route)
        => route.Access is null && route.Limits is null
            ? ValueTask.FromResult(true)
            : AdmitAsync(session, route.Access, route.Limits, route.Config.DenyAction, isRoute: true);

    /// <summary>Before TLS that ends here. False = the session has ended.</summary>
    public async ValueTask<bool> AdmitHandshakeAsync(StreamSession session)
    {
        return (session.ListenerModel.Limits is not { } ofListener || await HeedAsync(session, ofListener, ofListener.TakeHandshake(session.AdmittedClient), isRoute: false))
            && (session.Route!.Limits is not { } ofRoute || await HeedAsync(session, ofRoute, ofRoute.TakeHandshake(session.AdmittedClient), isRoute: true));
    }

    private ValueTask<bool> AdmitAsync(StreamSession session, AccessRules? access, SessionLimits? limits, RefusalAction denyAction, bool isRoute)
    {
        var client = session.AdmittedClient ??= session.ClientEndPoint;
        if (access is not null && !access.Allows(client))
        {
            LogDenied(logger, session.IdText, access.Owner, client);
            return RefuseAsync(session, SessionEndReason.AccessDenied, denyAction == RefusalAction.Drop, TlsAlert.AccessDenied);
        }

        if (limits is null)
        {
            return ValueTask.FromResult(true);
        }

        var verdict = limits.Enter(client);
        if (!verdict.IsAllowed)
        {
            return limits.Action == LimitAction.Delay && verdict.MayChange
                ? WaitForRoomAsync(session, limits, verdict, isRoute)
                : RefuseAsync(session, limits, verdict, isRoute);
        }

        Hold(session, isRoute);
        return HeedAsync(session, limits, verdict, isRoute);
    }

    /// <summary>Does what a verdict says: goes on, waits, or refuses.</summary>
    private ValueTask<bool> HeedAsync(StreamSession session, SessionLimits limits, in LimitVerdict verdict, bool isRoute)
    {
        if (!verdict.IsAllowed)
        {
            return RefuseAsync(session, limits, verdict, isRoute);
        }

        if (verdict.Wait == TimeSpan.Zero)
        {
            return ValueTask.FromResult(true);
        }

        metrics.Limited(session, isRoute, verdict.Kind, LimitOutcome.Delayed);
        return WaitAsync(session, verdict.Wait);
    }

    private async ValueTask<bool> WaitForRoomAsync(StreamSession session, SessionLimits limits, LimitVerdict verdict, bool isRoute)
    {
        var started = time.GetTimestamp();
        metrics.Limited(session, isRoute, verdict.Kind, LimitOutcome.Delayed);
        while (!verdict.IsAllowed)
        {
            if (!verdict.MayChange || time.GetElapsedTime(started) >= limits.MaxDelay)
            {
                return await RefuseAsync(session, limits, verdict, isRoute);
            }

            if (!await WaitAsync(session, s_look))
            {
                return false;
            }

            verdict = limits.Enter(session.AdmittedClient);
        }

        Hold(session, isRoute);
        return await HeedAsync(session, limits, verdict, isRoute);
    }

    /// <summary>False = the session has ended meanwhile.</summary>
    private async ValueTask<bool> WaitAsync(StreamSession session, TimeSpan wait)
    {
        var started = time.GetTimestamp();
        while (wait - time.GetElapsedTime(started) is var left && left > TimeSpan.Zero)
        {
            await session.PauseAsync(left < s_look ? left : s_look);
            if (session.Transport.ContinuesOnPool)
            {
                // Steps of the app come next, which may block; and this is no thread to look at the connection from.
                continue;
            }

            await session.Environment.ResumeAsync();
            if (!session.HasEnded && session.ClientHasLeft())
            {
                session.TryEnd(SessionEndReason.ClientGone);
            }

            if (session.HasEnded)
            {
                return false;
            }
        }

        return !session.HasEnded;
    }

    private ValueTask<bool> RefuseAsync(StreamSession session, SessionLimits limits, in LimitVerdict verdict, bool isRoute)
    {
        var isDrop = limits.Action == LimitAction.Drop;
        metrics.Limited(session, isRoute, verdict.Kind, isDrop ? LimitOutcome.Dropped : LimitOutcome.Refused);
        LogLimited(logger, session.IdText, isRoute ? "route" : "listener", isRoute ? session.Route!.Id : session.ListenerModel.Id, LimitKinds.NameOf(verdict.Kind));
        return RefuseAsync(session, SessionEndReason.LimitExceeded, isDrop, TlsAlert.InternalError);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<bool> RefuseAsync(StreamSession session, SessionEndReason reason, bool isDrop, TlsAlert alert)
    {
        if (isDrop)
        {
            session.Vanish(reason);
        }
        else if (session.HasHello)
        {
            await Refusal.RefuseAsync(session, reason, alert);
        }
        else
        {
            session.Abort(reason);
        }

        return false;
    }

    private static void Hold(StreamSession session, bool isRoute)
    {
        if (isRoute)
        {
            session.HoldsRouteLimits = true;
        }
        else
        {
            session.HoldsListenerLimits = true;
        }
    }

    [LoggerMessage(EventIds.AccessDenied, LogLevel.Debug, "Session {Session}: the rules of {Owner} do not let {Client} in")]
    private static partial void LogDenied(ILogger logger, string session, string owner, System.Net.EndPoint? client);

    [LoggerMessage(EventIds.LimitReached, LogLevel.Debug, "Session {Session}: refused by the limits of {What} {Id}: {Limit}")]
    private static partial void LogLimited(ILogger logger, string session, string what, string id, string limit);
}
