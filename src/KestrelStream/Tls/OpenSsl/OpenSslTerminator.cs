using System.Runtime.CompilerServices;
using KestrelStream.Diagnostics;
using KestrelStream.Sessions;
using KestrelStream.Transport;
using KestrelStream.Transport.EventLoop;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>Ends TLS on the event loop: the handshake runs on the loop's thread, between its other sessions. One for the process; thread-safe.</summary>
internal sealed partial class OpenSslTerminator(StreamProxyMetrics metrics, TimeProvider time, ILogger<OpenSslTerminator> logger)
{
    /// <inheritdoc cref="ITlsTerminator.TerminateAsync"/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> TerminateAsync(StreamSession session, TlsOffer offer)
    {
        await session.Environment.ResumeAsync();
        session.Enter(SessionPhase.Handshake, session.ListenerModel.Config.HandshakeTimeout);
        var started = time.GetTimestamp();
        var client = (LoopConnection)session.Transport;
        await client.Loop.Handshakes.TurnAsync();
        if (client.IsClosed || client.IsBroken || OpenSslSession.Create(offer.Context, client.Loop.Tls, session.ServerName) is not { } tls)
        {
            Failed(session, SessionEndReason.ClientTlsFailed, "the connection is closed, or there is no memory", time.GetElapsedTime(started));
            client.Close();
            return false;
        }

        var handshake = LoopHandshake.RunAsync(client, tls, session.Preread!.Written);
        session.ReleasePreread();
        var status = await handshake;
        if (status == TlsStatus.Done)
        {
            metrics.HandshakeEnded(session, "ok", time.GetElapsedTime(started));
            session.Tls = tls.Facts();
            return true;
        }

        await FailAsync(session, client, tls, status, time.GetElapsedTime(started));
        return false;
    }

    private async ValueTask FailAsync(StreamSession session, LoopConnection client, OpenSslSession tls, TlsStatus status, TimeSpan elapsed)
    {
        var reason = tls.HasOtherName ? SessionEndReason.ProtocolViolation : SessionEndReason.ClientTlsFailed;
        var text = tls.HasOtherName ? "a ClientHello names another server"
            : status == TlsStatus.Failed ? tls.Error.Text
            : "the client ended the connection";

        // A clock or a drain may have ended it first; then it is closed already. The alert, if there is one to send, is sent already.
        if (Failed(session, reason, text, elapsed, status == TlsStatus.Failed && tls.Error.IsClientCertificate) && status == TlsStatus.Failed && !tls.Error.IsPeerAlert)
        {
            await Refusal.SendLastAsync(session, ReadOnlyMemory<byte>.Empty);
        }
        else
        {
            client.Close();
        }
    }

    /// <summary>False = something else has ended it.</summary>
    private bool Failed(StreamSession session, SessionEndReason reason, string text, TimeSpan elapsed, bool isCertificate = false)
    {
        var isOurs = session.TryEnd(reason);
        metrics.HandshakeEnded(session, session.EndReason == SessionEndReason.ClientTlsTimeout ? "timeout" : isCertificate ? "client_certificate" : "failed", elapsed);
        if (isOurs)
        {
            LogHandshakeFailed(logger, session.IdText, session.Route!.Id, text);
        }

        return isOurs;
    }

    [LoggerMessage(EventIds.HandshakeFailed, LogLevel.Debug, "Session {Session}: handshake on route {Route} failed: {Reason}")]
    private static partial void LogHandshakeFailed(ILogger logger, string session, string route, string reason);
}
