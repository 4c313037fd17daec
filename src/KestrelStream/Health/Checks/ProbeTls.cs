using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Configuration;
using KestrelStream.Tls.Upstream;

namespace KestrelStream.Health.Checks;

/// <summary>How checks of one destination shake hands. Immutable; thread-safe.</summary>
/// <param name="serverName">To ask for and to verify; null = the server is asked for no name.</param>
/// <param name="verify">Whether the certificate must be trusted.</param>
/// <param name="authorities">Trusted instead of the operating system's; null = those.</param>
/// <param name="shown">Hears of the certificate that the server shows, good or not.</param>
internal sealed class ProbeTls(string? serverName, bool verify, X509Certificate2Collection? authorities, Action<X509Certificate2>? shown = null)
{
    private UpstreamTlsPolicy? _upstream;
    private UpstreamName _name;
    private bool _hasAlpn;

    /// <summary>As sessions do it with the same server, but for what the check itself says otherwise.</summary>
    /// <param name="upstream">Of the cluster.</param>
    /// <param name="name">The destination's.</param>
    /// <param name="check">Its <see cref="ActiveHealthCheckConfig.Verify"/> can only take away.</param>
    /// <param name="authorities">Trusted instead of the cluster's; null = those.</param>
    /// <param name="shown">Hears of the certificate that the server shows, good or not.</param>
    public static ProbeTls AsSessions(
        UpstreamTlsPolicy upstream, UpstreamName name, ActiveHealthCheckConfig check, X509Certificate2Collection? authorities, Action<X509Certificate2>? shown)
        => new(name.ToString(), check.Verify && upstream.Config.Verify, authorities, shown)
        {
            _upstream = upstream,
            _name = name,

            // HTTP/1.1 is what those checks speak, whatever sessions do.
            _hasAlpn = check.Kind is not (HealthCheckKind.Http or HealthCheckKind.Https),
        };

    public SslClientAuthenticationOptions CreateOptions(Judgement judgement)
    {
        if (_upstream is not null)
        {
            return CreateOptionsOfSessions(_upstream, judgement);
        }

        var options = new SslClientAuthenticationOptions
        {
            TargetHost = serverName ?? "",
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            {
                if (certificate is X509Certificate2 seen)
                {
                    shown?.Invoke(seen);
                }

                return judgement.Judge(certificate, chain, verify ? errors : SslPolicyErrors.None);
            },
        };
        if (authorities is not null)
        {
            options.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }

        return options;
    }

    private SslClientAuthenticationOptions CreateOptionsOfSessions(UpstreamTlsPolicy upstream, Judgement judgement)
    {
        var judge = new UpstreamJudge(upstream.Config with { Verify = verify }, _name);
        var options = upstream.NewOptions(_name, judge);
        options.ApplicationProtocols = _hasAlpn ? options.ApplicationProtocols : null;
        options.RemoteCertificateValidationCallback = (sender, certificate, chain, errors) =>
        {
            if (certificate is X509Certificate2 seen)
            {
                shown?.Invoke(seen);
            }

            var isGood = judge.Judge(sender, certificate, chain, errors);
            judgement.Take(judge);
            return isGood;
        };
        if (authorities is not null)
        {
            options.CertificateChainPolicy = UpstreamJudge.ChainPolicyOf(new TrustedAuthorities(authorities));
        }

        return options;
    }

    /// <summary>What one handshake showed.</summary>
    internal sealed class Judgement
    {
        public DateTimeOffset? Expires { get; private set; }

        /// <summary>Why the certificate is not good.</summary>
        public string? Problem { get; private set; }

        public void Take(UpstreamJudge judge) => (Expires, Problem) = (judge.Expires, judge.WhyNot);

        public bool Judge(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
        {
            Expires = certificate is X509Certificate2 shown ? shown.NotAfter : null;
            Problem = errors == SslPolicyErrors.None ? null
                : errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable) ? "no certificate was shown"
                : errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors)
                    ? $"the certificate is not trusted ({string.Join(", ", chain?.ChainStatus.Select(status => status.Status).Distinct() ?? [])})"
                    : "the certificate is for another name";
            return Problem is null;
        }
    }
}
