using KestrelStream.Dialing;
using KestrelStream.Preread;
using KestrelStream.Routing;
using KestrelStream.Sessions;
using KestrelStream.Tls;

namespace KestrelStream.StartTls;

/// <summary>Takes a session from its first words in the clear to its ClientHello, by which it is routed as any other. One for the process; thread-safe.</summary>
internal sealed class StartTlsUpgrader(PrereadReader preread, UpstreamDialer dialer, ITlsTerminator terminator)
{
    /// <summary>
    /// On <see cref="PrereadOutcome.Hello"/> the hello is in the session's preread bytes; on <see cref="PrereadOutcome.NotTls"/> what goes on in the clear.
    /// On <see cref="PrereadOutcome.Ended"/> the session has its end reason, and both its connections are the caller's to end.
    /// </summary>
    public async ValueTask<PrereadOutcome> UpgradeAsync(StreamSession session, UpgradeRoutes upgrade)
    {
        var dialog = upgrade.Dialog.ForSession();
        ReadOnlyMemory<byte> greeting = default;
        if (dialog.TakesGreeting(session.ListenerModel.Config))
        {
            if (upgrade.Routes.ForGreeting(session.ClientEndPoint) is not { } route)
            {
                await dialog.RefuseAsync(session);
                return PrereadOutcome.Ended;
            }

            greeting = await FetchGreetingAsync(session, dialog, route);
            if (greeting.IsEmpty)
            {
                return PrereadOutcome.Ended;
            }
        }

        if (dialog.ServerSpeaksFirst)
        {
            session.ReleasePreread();
            session.Enter(SessionPhase.Preread, session.ListenerModel.Config.PrereadTimeout);
        }

        var status = await dialog.AskAsync(session, greeting);
        switch (status)
        {
            case StartTlsStatus.Ready:
                session.StartTls = dialog;
                session.ReleasePreread();
                return await preread.ReadHelloAsync(session);

            case StartTlsStatus.Clear when dialog.ServerSpeaksFirst:
                // It has got what it was silent for; what it has answered is forwarded with the rest.
                return preread.TryKeep(session, dialog.ClearAnswer) ? PrereadOutcome.Silence : PrereadOutcome.OverBudget;

            case StartTlsStatus.Clear:
                return PrereadOutcome.NotTls;

            case StartTlsStatus.Quit:
                session.TryEnd(SessionEndReason.Completed);
                return PrereadOutcome.Ended;

            case StartTlsStatus.Violation:
                return PrereadOutcome.Violation;

            default:
                return session.EndReason == SessionEndReason.PrereadTimeout ? PrereadOutcome.Late : PrereadOutcome.Gone;
        }
    }

    /// <summary>Brings a destination to where the client's bytes can follow. False = the session has its end reason; its connections are the caller's to reset.</summary>
    public async ValueTask<bool> ConnectAsync(StreamSession session, StartTlsDialog dialog)
    {
        var hasGreeted = session.Destination is not null;
        if (!hasGreeted)
        {
            if (!await dialer.DialAsync(session))
            {
                return false;
            }

            session.Enter(SessionPhase.Dial, session.Route!.Cluster!.Model.Config.ConnectTimeout);
        }

        if (await (hasGreeted ? dialog.LogInAsync(session, dialer) : dialog.BeginUpstreamAsync(session)))
        {
            return true;
        }

        EndUnready(session);
        return false;
    }

    /// <summary>The destination is dialled before the client is spoken to: all routes that it can have then lead to its cluster.</summary>
    private async ValueTask<ReadOnlyMemory<byte>> FetchGreetingAsync(StreamSession session, StartTlsDialog dialog, Model.RouteModel route)
    {
        session.Route = route;
        session.DefersUpstreamTls = dialog.DefersUpstreamTls;
        if (route.Tls is { } policy)
        {
            await terminator.PrepareAsync(session, policy);
        }

        if (!await dialer.DialAsync(session))
        {
            return default;
        }

        session.Enter(SessionPhase.Dial, route.Cluster!.Model.Config.ConnectTimeout);
        var greeting = await dialog.ReadGreetingAsync(session);
        if (greeting.IsEmpty)
        {
            EndUnready(session);
        }

        return greeting;
    }

    /// <summary>It was connected, and then did not answer, or refused: the same for a client as if it had not been.</summary>
    private static void EndUnready(StreamSession session)
        => session.TryEnd(session.DialTimedOut ? SessionEndReason.ConnectTimeout : session.Tls is null && session.HasHello ? SessionEndReason.UpstreamTlsFailed : SessionEndReason.ConnectRefused);
}
