using KestrelStream.Configuration;
using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Tls.Upstream;

/// <summary>The TLS policies of a config that is being applied, by cluster; or what is wrong with them. Touches nothing that runs.</summary>
internal sealed class UpstreamPolicies
{
    private readonly Dictionary<string, UpstreamTlsPolicy> _policies = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<ConfigError> _errors = [];

    private UpstreamPolicies()
    {
    }

    /// <summary>Any error means that the config must not be applied.</summary>
    public IReadOnlyList<ConfigError> Errors => _errors;

    /// <summary>Null = the cluster's destinations get plain bytes.</summary>
    public UpstreamTlsPolicy? this[string cluster] => _policies.GetValueOrDefault(cluster);

    /// <param name="config">Valid in itself.</param>
    /// <param name="basePath">What relative paths are relative to.</param>
    /// <param name="certificates">Without errors.</param>
    /// <param name="store">Swaps them.</param>
    /// <param name="openSsl">What speaks TLS; null = SslStream. Asked for when a cluster needs it.</param>
    /// <param name="previous">A cluster's policy so far.</param>
    public static UpstreamPolicies Compile(
        StreamProxyConfig config, string basePath, CertificateSet certificates, CertificateStore store, Lazy<OpenSslLibrary?> openSsl, Func<string, UpstreamTlsPolicy?> previous)
    {
        var policies = new UpstreamPolicies();
        var files = new TrustFiles(basePath, policies._errors);
        foreach (var (id, cluster) in config.Clusters)
        {
            if (cluster.Tls is not { Enabled: true } tls)
            {
                continue;
            }

            var path = $"StreamProxy:Clusters:{id}:{nameof(cluster.Tls)}";
            var authorities = tls.TrustedCertificates is null ? null : files.ReadCertificates($"{path}:{nameof(tls.TrustedCertificates)}", tls.TrustedCertificates);
            if (tls.TrustedCertificates is not null && authorities is null)
            {
                continue;
            }

            var trust = authorities is null ? null : new TrustedAuthorities(authorities);
            var state = tls.Certificate is null ? null : certificates.States[tls.Certificate];
            if (openSsl.Value is not null
                && !OpenSslClientContext.Check(tls, trust, state is null ? null : certificates.EntriesOf(state)[0], out var refused, out var error))
            {
                // It has the last word: it knows its security level, and what this system's settings forbid.
                policies._errors.Add(new ConfigError($"{path}:{refused}", $"OpenSSL refuses it: {error.Text}"));
                continue;
            }

            policies._policies.Add(id, UpstreamTlsPolicy.Compile(tls, trust, state, store, openSsl.Value, previous(id)));
        }

        return policies;
    }
}
