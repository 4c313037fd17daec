using System.Runtime.CompilerServices;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Dialing;
using KestrelStream.Http;
using KestrelStream.Limits;
using KestrelStream.Model;
using KestrelStream.Preread;
using KestrelStream.Routing;
using KestrelStream.StartTls;
using KestrelStream.Tls;
using KestrelStream.Tls.Ocsp;
using KestrelStream.Transport;
using Microsoft.AspNetCore.Connections;

namespace KestrelStream.Sessions;

/// <summary>
/// The path of a session, top to bottom: preread → route (who may take it, how often) → [terminate] → dial (balancing) → relay; with <c>Action: Http</c> the app is the other end. Each step leaves to one place and ends
/// the session with one reason; <see cref="SessionRunner"/> does what comes before and after. One for the process; thread-safe.
/// </summary>
internal sealed class StreamSessionHandler(
    PrereadReader preread,
    ChallengeCertificates challenges,
    Admission admission,
    ITlsTerminator terminator,
    ClientRevocation revocation,
    UpstreamDialer dialer,
    StartTlsUpgrader upgrader,
    PostgreSqlCancel cancels,
    StreamProxyMetrics metrics,
    HttpHandOver http,
    TimeProvider time)
{
    /// <summary>The end of the pipeline of user's steps.</summary>
    public async Task RunAsync(ConnectionContext connection)
    {
        var session = ((StreamConnection)connection).Session!;
        if (await PrepareAsync(session))
        {
            await session.Relay.RunAsync(session);
        }
    }

    /// <summary>Everything before the relay. A method of its own, so that its state is gone while the session relays, which may be for days. False = the session has ended.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> PrepareAsync(StreamSession session)
    {
        var routes = session.ListenerModel.Routes;

        var route = routes.NeedsPreread ? await PrereadAndRouteAsync(session) : routes.Only(session.ClientFor(routes));
        if (!routes.NeedsPreread && !preread.TryTakeReceived(session))
        {
            session.Abort(SessionEndReason.LimitExceeded);
            return false;
        }

        if (route is null)
        {
            if (!routes.NeedsPreread)
            {
                await Refusal.RefuseAsync(session, SessionEndReason.NoRoute, TlsAlert.None);
            }

            return false;
        }

        session.Route = route;
        if (route.Config.MaxSessionLifetime is { } lifetime)
        {
            session.LimitLifetime(lifetime, time.GetElapsedTime(session.StartTimestamp));
        }

        if (route.Action == RouteAction.Reject)
        {
            await Refusal.RefuseAsync(session, SessionEndReason.Rejected, session.HasHello ? TlsAlert.UnrecognizedName : TlsAlert.None);
            return false;
        }

        if (route is { Action: RouteAction.Http, Tls: null } && session.HasHello)
        {
            // HTTP in the clear is no place for it.
            await Refusal.RefuseAsync(session, SessionEndReason.NoRoute, TlsAlert.UnrecognizedName);
            return false;
        }

        if (!await admission.AdmitToRouteAsync(session, route) || (route.Tls is { } policy && !await TerminateAsync(session, policy)))
        {
            return false;
        }

        if (route.AnswersChallenge)
        {
            // RFC 8737 §3: the handshake was the answer, and nothing follows it.
            session.TryEnd(SessionEndReason.ChallengeAnswered);
            await Refusal.SendLastAsync(session, ReadOnlyMemory<byte>.Empty);
            return false;
        }

        if (route.Action == RouteAction.Http)
        {
            session.Relay = http;
            return true;
        }

        // A destination whose greeting was passed on is there already.
        var isReady = session.StartTls is { } dialog ? await upgrader.ConnectAsync(session, dialog) : session.Destination is not null || await dialer.DialAsync(session);
        if (!isReady)
        {
            // Bytes were accepted and cannot be delivered: a reset says so, a clean close would not.
            session.ResetBoth();
            return false;
        }

        return true;
    }

    /// <summary>False = the session has ended.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> TerminateAsync(StreamSession session, TlsPolicy policy)
    {
        if (!await admission.AdmitHandshakeAsync(session) || !await admission.Handshakes.EnterAsync(session))
        {
            return false;
        }

        try
        {
            if (!await terminator.TerminateAsync(session, policy))
            {
                return false;
            }

            metrics.TlsNegotiated(session.Tls!);
        }
        finally
        {
            admission.Handshakes.Leave();
        }

        return policy.Basis.Config.ClientCertificates is not { AsksOcsp: true } clients || await revocation.AdmitAsync(session, clients);
    }

    /// <summary>Null = the session was refused or the client is gone.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<RouteModel?> PrereadAndRouteAsync(StreamSession session)
    {
        var routes = session.ListenerModel.Routes;
        var outcome = await preread.ReadAsync(session);
        if (outcome == PrereadOutcome.Cancel)
        {
            outcome = await cancels.ForwardAsync(session);
        }
        else if (UpgradeOf(session, outcome) is { } upgrade)
        {
            outcome = await upgrader.UpgradeAsync(session, upgrade);
            routes = outcome == PrereadOutcome.Hello ? upgrade.Routes : routes;
        }

        session.Trace?.PrereadEnded();
        var route = outcome is PrereadOutcome.Hello or PrereadOutcome.NotTls or PrereadOutcome.Silence ? Choose(session, routes, outcome) : null;
        metrics.PrereadEnded(session, outcome, route is not null);
        switch (outcome)
        {
            case PrereadOutcome.Ended when session.EndReason != SessionEndReason.Completed:
                session.ResetBoth();
                return null;

            case PrereadOutcome.Ended:
                return null;

            case PrereadOutcome.Violation:
                session.Abort(SessionEndReason.ProtocolViolation);
                return null;

            case PrereadOutcome.Gone:
                session.TryEnd(SessionEndReason.ClientGone);
                return null;

            case PrereadOutcome.Late:
                await Refusal.RefuseAsync(session, SessionEndReason.PrereadTimeout, IsMaybeTls(session) ? TlsAlert.HandshakeFailure : TlsAlert.None);
                return null;

            case PrereadOutcome.Malformed:
                await Refusal.RefuseAsync(session, SessionEndReason.PrereadMalformed, session.Preread!.Parser.Alert);
                return null;

            case PrereadOutcome.TooLarge:
                // Too large for the parser (its own alert) or for the buffer before the parser could say so.
                var alert = session.Preread!.Parser.Alert;
                await Refusal.RefuseAsync(session, SessionEndReason.PrereadTooLarge, alert == TlsAlert.None && IsMaybeTls(session) ? TlsAlert.IllegalParameter : alert);
                return null;

            case PrereadOutcome.OverBudget:
                await Refusal.RefuseAsync(session, SessionEndReason.LimitExceeded, IsMaybeTls(session) ? TlsAlert.InternalError : TlsAlert.None);
                return null;
        }

        if (route is not null)
        {
            return route;
        }

        await Refusal.RefuseAsync(session, SessionEndReason.NoRoute, session.HasHello ? TlsAlert.UnrecognizedName : TlsAlert.None);
        return null;
    }

    /// <summary>It has begun as TLS does: an alert is for such a client only.</summary>
    private static bool IsMaybeTls(StreamSession session) => session.Preread is { Length: > 0 } preread && preread.Parser.Status != PrereadStatus.NotTls;

    private static UpgradeRoutes? UpgradeOf(StreamSession session, PrereadOutcome outcome)
    {
        var routes = session.ListenerModel.Routes;
        return outcome == PrereadOutcome.Upgrade && session.Preread is { Length: > 0 } preread ? routes.UpgradeFor(preread.Written.Span, out _)
            : outcome is PrereadOutcome.Upgrade or PrereadOutcome.Silence ? routes.Greeter
            : null;
    }

    private RouteModel? Choose(StreamSession session, RouteTable routes, PrereadOutcome outcome)
    {
        switch (outcome)
        {
            case PrereadOutcome.Silence:
                return routes.ForSilence(session.ClientFor(routes));

            case PrereadOutcome.NotTls:
                return routes.ForNotTls(session.Preread!.Written.Span, out _, session.ClientFor(routes));

            default:
                var received = session.Preread!.Written.Span;
                var hello = session.Preread.Parser.GetHello(received);
                session.SetHello(hello);
                session.Trace?.SetHello(hello, received, session.Preread.Parser);
                if (hello.Ech != EncryptedHello.None)
                {
                    metrics.EchHelloRead(session, hello.Ech);
                }

                // It has been greeted by one of its members: the name cannot lead elsewhere any more.
                var cluster = session.Destination is null ? null : session.Route!.Cluster;

                // Where TLS was asked for in the clear, no authority asks (RFC 8737 §3).
                return (session.StartTls is null ? challenges.Find(hello) : null) ?? routes.ForHello(hello, session.ClientFor(routes), cluster);
        }
    }
}
