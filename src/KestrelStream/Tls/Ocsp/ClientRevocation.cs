using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Sessions;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Tls.Ocsp;

/// <summary>
/// Lets clients in whose certificates an OCSP responder does not call revoked. Asked once the handshake is done, as TLS libraries cannot wait for the network in
/// the middle of one, and before anything of the client goes on. One for the process; thread-safe.
/// </summary>
internal sealed partial class ClientRevocation(StreamProxyMetrics metrics, TimeProvider time, ILogger<ClientRevocation> logger) : IDisposable
{
    private readonly ClientAnswers _answers = new(time);

    /// <summary>Holds the session until there is an answer; its clock goes on. False = the session has ended.</summary>
    /// <param name="session">Its TLS has ended here.</param>
    /// <param name="config">Asks OCSP.</param>
    public async ValueTask<bool> AdmitAsync(StreamSession session, ClientCertificatesConfig config)
    {
        if (session.Tls!.ClientCertificate is not { } certificate)
        {
            // The mode has allowed it.
            return true;
        }

        var (status, problem) = await _answers.GetAsync(certificate, config);
        await session.Environment.ResumeAsync();
        var route = session.Route!.Id;
        metrics.ClientOcsp.Count(route, status);
        if (status == OcspStatus.Good || (config.Ocsp == ClientOcspMode.Soft && status != OcspStatus.Revoked))
        {
            if (problem is not null)
            {
                LogUnanswered(logger, session.IdText, route, certificate.Sha256, problem);
            }

            return !session.HasEnded;
        }

        // A clock or a drain may have ended it first; then it is closed already.
        if (session.TryEnd(SessionEndReason.ClientTlsFailed))
        {
            var why = status switch
            {
                OcspStatus.Revoked => "it is revoked",
                OcspStatus.Unknown => "the responder does not know it",
                _ => $"there is no OCSP answer: {problem}",
            };
            LogRefused(logger, session.IdText, route, certificate.Sha256, why);
            await Refusal.SendLastAsync(session, ReadOnlyMemory<byte>.Empty);
        }

        return false;
    }

    public void Dispose() => _answers.Dispose();

    [LoggerMessage(EventIds.ClientRefusedByOcsp, LogLevel.Information, "Session {Session}: the client's certificate {Sha256} on route {Route} is refused: {Reason}")]
    private static partial void LogRefused(ILogger logger, string session, string route, string sha256, string reason);

    [LoggerMessage(EventIds.ClientWithoutOcsp, LogLevel.Debug, "Session {Session}: the client's certificate {Sha256} on route {Route} is taken without an OCSP answer: {Reason}")]
    private static partial void LogUnanswered(ILogger logger, string session, string route, string sha256, string reason);
}
