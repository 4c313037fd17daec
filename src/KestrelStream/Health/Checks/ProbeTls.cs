using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace KestrelStream.Health.Checks;

/// <summary>How checks of one destination shake hands. Immutable; thread-safe.</summary>
/// <param name="serverName">To ask for and to verify; null = the server is asked for no name.</param>
/// <param name="verify">Whether the certificate must be trusted.</param>
/// <param name="authorities">Trusted instead of the operating system's; null = those.</param>
/// <param name="shown">Hears of the certificate that the server shows, good or not.</param>
internal sealed class ProbeTls(string? serverName, bool verify, X509Certificate2Collection? authorities, Action<X509Certificate2>? shown = null)
{
    public SslClientAuthenticationOptions CreateOptions(Judgement judgement)
    {
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

    /// <summary>What one handshake showed.</summary>
    internal sealed class Judgement
    {
        public DateTimeOffset? Expires { get; private set; }

        /// <summary>Why the certificate is not good.</summary>
        public string? Problem { get; private set; }

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
