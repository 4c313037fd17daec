using System.Net;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using KestrelStream.Diagnostics;
using KestrelStream.Sessions;
using KestrelStream.Tls.OpenSsl;
using KestrelStream.Transport;
using KestrelStream.Transport.EventLoop;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Tls.Upstream;

/// <summary>
/// Speaks TLS with a destination that has just been connected to: on the session's loop with OpenSSL, elsewhere with SslStream. Never falls back to plain
/// bytes. One for the process; thread-safe.
/// </summary>
internal sealed partial class UpstreamTls(StreamProxyMetrics metrics, TimeProvider time, ILogger<UpstreamTls> logger)
{
    /// <summary>A destination whose certificate is refused is so for every session: one warning of each in so much time.</summary>
    private static readonly TimeSpan WarnEvery = TimeSpan.FromMinutes(1);

    private readonly RecentWarnings _warnings = new(time, WarnEvery);

    /// <summary>
    /// Shakes hands on <see cref="StreamSession.Upstream"/>, which gives plain bytes afterwards. The session's clock runs; its end or the session's makes
    /// this end too. On failure the connection is the caller's to close.
    /// </summary>
    /// <param name="session">Whose upstream it is.</param>
    /// <param name="policy">Of its cluster.</param>
    /// <param name="name">The destination's.</param>
    /// <param name="member">Its address.</param>
    /// <param name="destination">As the log shows it.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<UpstreamTlsResult> ConnectAsync(StreamSession session, UpstreamTlsPolicy policy, UpstreamName name, EndPoint member, string destination)
    {
        var started = time.GetTimestamp();
        var upstream = session.Upstream!;
        UpstreamTlsResult result;
        if (policy.Config.Verify && !name.IsKnown)
        {
            result = new UpstreamTlsResult(ConnectStatus.TlsFailed, "there is no name to verify its certificate by");
        }
        else if (upstream.HasReceived())
        {
            // Whoever sent it, the destination of a TLS session does not speak first; what came in clear must never be taken for what comes under TLS.
            result = new UpstreamTlsResult(ConnectStatus.TlsFailed, "bytes came before the handshake");
        }
        else
        {
            result = policy.OpenSsl is not null
                ? await ShakeHandsAsync(session, (LoopConnection)upstream, policy, name, member)
                : await ShakeHandsAsync(session, upstream, policy, name);
        }

        if (result.Status != ConnectStatus.Connected && session.HasEnded)
        {
            result = new UpstreamTlsResult(ConnectStatus.Aborted);
        }
        else if (result.Status != ConnectStatus.Connected && session.DialTimedOut)
        {
            result = new UpstreamTlsResult(ConnectStatus.TlsTimedOut);
        }

        session.UpstreamTlsTime = time.GetElapsedTime(started);
        metrics.UpstreamHandshakeEnded(session, result.Status, session.UpstreamTlsTime);
        if (result is { Status: ConnectStatus.TlsCertificate, Problem: { } problem } && _warnings.IsNew(policy, destination))
        {
            LogRefused(logger, session.Route!.Cluster!.Id, destination, member, name.ToString(), problem);
        }

        return result;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<UpstreamTlsResult> ShakeHandsAsync(StreamSession session, LoopConnection upstream, UpstreamTlsPolicy policy, UpstreamName name, EndPoint member)
    {
        await upstream.Loop.Handshakes.TurnAsync();
        if (upstream.IsClosed)
        {
            return new UpstreamTlsResult(ConnectStatus.Aborted);
        }

        if (policy.OpenSslContext.NewSession(upstream.Loop.Tls, member, name) is not { } tls)
        {
            return new UpstreamTlsResult(ConnectStatus.OutOfResources);
        }

        var status = await LoopHandshake.RunAsync(upstream, tls, default);
        if (status == TlsStatus.Done)
        {
            session.UpstreamTls = tls.Facts();
            return new UpstreamTlsResult(ConnectStatus.Connected);
        }

        return status == TlsStatus.Failed
            ? new UpstreamTlsResult(tls.IsCertificateRefused ? ConnectStatus.TlsCertificate : ConnectStatus.TlsFailed, tls.Error.Text)
            : new UpstreamTlsResult(ConnectStatus.TlsFailed, "the destination ended the connection");
    }

    private static async ValueTask<UpstreamTlsResult> ShakeHandsAsync(StreamSession session, StreamConnection upstream, UpstreamTlsPolicy policy, UpstreamName name)
    {
        var stream = new StreamConnectionStream(upstream);
        var judge = new UpstreamJudge(policy.Config, name);
        var ssl = new SslStream(stream, leaveInnerStreamOpen: true);
        try
        {
            await ssl.AuthenticateAsClientAsync(policy.NewOptions(name, judge));
            if (!judge.IsSatisfied)
            {
                // SslStream has let it pass without asking.
                throw new AuthenticationException("the destination's certificate was not verified");
            }
        }
        catch (Exception e) when (e is AuthenticationException or IOException or InvalidOperationException or ObjectDisposedException or NotSupportedException or ArgumentException)
        {
            // SslStream has no other way to say that a handshake failed.
            ssl.Dispose();
            return judge.WhyNot is { } why ? new UpstreamTlsResult(ConnectStatus.TlsCertificate, why)
                : stream.HasEnded ? new UpstreamTlsResult(ConnectStatus.TlsFailed, "the destination ended the connection")
                : new UpstreamTlsResult(ConnectStatus.TlsFailed, (e.InnerException ?? e).Message);
        }

        session.UpstreamTls = SslStreamTerminator.FactsOf(ssl);
        session.Upstream = new TlsConnection(ssl, stream, upstream) { EndsWithoutNotify = session.EndsWithoutNotify };
        if (session.HasEnded)
        {
            // It may have ended before it knew of its upstream.
            session.Upstream.Reset();
            return new UpstreamTlsResult(ConnectStatus.Aborted);
        }

        return new UpstreamTlsResult(ConnectStatus.Connected);
    }

    [LoggerMessage(EventIds.UpstreamCertificateRefused, LogLevel.Warning, "Cluster {Cluster}: the certificate of destination {Destination} ({Address}), called \"{Name}\", is refused: {Reason}")]
    private static partial void LogRefused(ILogger logger, string cluster, string destination, EndPoint address, string name, string reason);
}
