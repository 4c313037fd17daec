using KestrelStream.Diagnostics;
using KestrelStream.Sessions;
using KestrelStream.Tls.OpenSsl;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Tls;

/// <summary>Ends TLS with what the policy was compiled for, or refuses a name that no certificate has. One for the process; thread-safe.</summary>
internal sealed partial class TlsTerminator(
    OpenSslTerminator openSsl, SslStreamTerminator sslStream, StreamProxyMetrics metrics, ILogger<TlsTerminator> logger) : ITlsTerminator
{
    /// <summary>With OpenSSL it is on its loop already.</summary>
    public ValueTask PrepareAsync(StreamSession session, TlsPolicy policy)
        => policy.OpenSsl is not null ? ValueTask.CompletedTask : sslStream.PrepareAsync(session);

    public ValueTask<bool> TerminateAsync(StreamSession session, TlsPolicy policy)
        => policy.Choose(session.ServerName) is not { } offer ? RefuseAsync(session)
            : policy.OpenSsl is not null ? openSsl.TerminateAsync(session, offer)
            : sslStream.TerminateAsync(session, policy, offer);

    private async ValueTask<bool> RefuseAsync(StreamSession session)
    {
        metrics.HandshakeEnded(session, "unknown_name", TimeSpan.Zero);
        LogUnknownName(logger, session.IdText, session.Route!.Id, session.ServerName ?? "none");
        await Refusal.RefuseAsync(session, SessionEndReason.ClientTlsFailed, TlsAlert.UnrecognizedName);
        return false;
    }

    [LoggerMessage(EventIds.HandshakeFailed, LogLevel.Debug, "Session {Session}: handshake on route {Route} failed: no certificate has the name {Name}")]
    private static partial void LogUnknownName(ILogger logger, string session, string route, string name);
}
