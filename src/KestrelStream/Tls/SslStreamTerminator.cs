using System.Net.Security;
using System.Security.Authentication;
using KestrelStream.Diagnostics;
using KestrelStream.Sessions;
using KestrelStream.Transport;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Tls;

/// <summary>Ends TLS with <see cref="SslStream"/>, the one that Kestrel uses; every operating system. One for the process; thread-safe.</summary>
internal sealed partial class SslStreamTerminator(
    EngineMove engineMove,
    StreamProxyMetrics metrics,
    TimeProvider time,
    ILogger<SslStreamTerminator> logger)
{
    /// <inheritdoc cref="ITlsTerminator.PrepareAsync"/>
    public ValueTask PrepareAsync(StreamSession session) => engineMove.MoveToSocketsAsync(session);

    /// <inheritdoc cref="ITlsTerminator.TerminateAsync"/>
    public async ValueTask<bool> TerminateAsync(StreamSession session, TlsPolicy policy, TlsOffer offer)
    {
        await engineMove.MoveToSocketsAsync(session);
        session.Enter(SessionPhase.Handshake, session.ListenerModel.Config.HandshakeTimeout);

        var guard = new HelloRetryGuard(session.ServerName, session.Preread!.Length, session.ListenerModel.Config.PrereadBufferBytes);
        var stream = new StreamConnectionStream(session.Transport, session.Preread.Written, guard);
        var judge = policy.NewJudge();
        var ssl = new SslStream(stream, leaveInnerStreamOpen: true, judge is null ? null : judge.Judge);
        var started = time.GetTimestamp();
        try
        {
            await ssl.AuthenticateAsServerAsync(offer.Options);
            guard.Stop();
            if (judge is { IsSatisfied: false })
            {
                // SslStream has let it pass without asking.
                throw new AuthenticationException("the client's certificate was not verified");
            }
        }
        catch (Exception e) when (e is AuthenticationException or IOException or InvalidOperationException or ObjectDisposedException or NotSupportedException)
        {
            // SslStream has no other way to say that a handshake failed; whatever it was, the session ends here.
            await FailAsync(session, stream, guard, judge, e, time.GetElapsedTime(started));
            return false;
        }

        metrics.HandshakeEnded(session, "ok", time.GetElapsedTime(started));
        session.Tls = FactsOf(ssl) with { ClientCertificate = judge?.Certificate };
        if (stream.IsReplayed)
        {
            session.ReleasePreread();
        }

        session.Client = new TlsConnection(ssl, stream, session.Transport) { Session = session, EndsWithoutNotify = session.EndsWithoutNotify };
        return true;
    }

    private async ValueTask FailAsync(StreamSession session, StreamConnectionStream stream, HelloRetryGuard guard, ClientCertificateJudge? judge, Exception e, TimeSpan elapsed)
    {
        // A clock or a drain may have ended it first; then it is closed already.
        var isOurs = session.TryEnd(guard.IsViolated ? SessionEndReason.ProtocolViolation : SessionEndReason.ClientTlsFailed);
        metrics.HandshakeEnded(session, session.EndReason == SessionEndReason.ClientTlsTimeout ? "timeout" : judge?.WhyNot is not null ? "client_certificate" : "failed", elapsed);
        if (!isOurs)
        {
            return;
        }

        LogHandshakeFailed(logger, session.IdText, session.Route!.Id, guard.IsViolated ? "the second ClientHello differs" : judge?.WhyNot ?? (e.InnerException ?? e).Message);
        if (stream.HasEnded && !guard.IsViolated)
        {
            session.Transport.Close();
        }
        else if (judge?.WhyNot is not null && !guard.IsViolated)
        {
            // SslStream judges once keys are in force, and has no way to send an alert under them: in the clear it would be a record that makes no sense.
            await Refusal.SendLastAsync(session, ReadOnlyMemory<byte>.Empty);
        }
        else
        {
            // OpenSSL has written its own alert in most cases; a second one behind it is never read.
            await Refusal.RefuseAsync(session, session.EndReason, guard.IsViolated ? TlsAlert.IllegalParameter : TlsAlert.HandshakeFailure);
        }
    }

    /// <summary>Of a handshake that has ended well.</summary>
    internal static TlsFacts FactsOf(SslStream ssl)
    {
        var alpn = ssl.NegotiatedApplicationProtocol.Protocol;
        return new TlsFacts(
            ssl.SslProtocol == SslProtocols.Tls13 ? "TLSv1.3" : "TLSv1.2",
            ssl.NegotiatedCipherSuite.ToString(),
            alpn.IsEmpty ? null : System.Text.Encoding.Latin1.GetString(alpn.Span),
            IsResumed: null);
    }

    [LoggerMessage(EventIds.HandshakeFailed, LogLevel.Debug, "Session {Session}: handshake on route {Route} failed: {Reason}")]
    private static partial void LogHandshakeFailed(ILogger logger, string session, string route, string reason);
}
