using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Configuration;
using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Tls.Upstream;

/// <summary>
/// How TLS is spoken with the destinations of a cluster, compiled. Immutable but for the certificate that is shown to them, which is swapped when its
/// files change. Thread-safe. Sessions are resumed under the policy they began under and no other.
/// </summary>
internal sealed class UpstreamTlsPolicy
{
    private readonly TrustedAuthorities? _trust;
    private readonly X509ChainPolicy _chainPolicy;
    private readonly CertificateState? _certificate;
    private readonly CertificateStore _store;
    private readonly SslProtocols _protocols;
    private readonly CipherSuitesPolicy? _cipherSuites;
    private readonly List<SslApplicationProtocol>? _alpn;
    private readonly Lock _rebuilding = new();
    private volatile Version _current;

    private UpstreamTlsPolicy(UpstreamTlsConfig config, TrustedAuthorities? trust, CertificateState? certificate, CertificateStore store, OpenSslLibrary? openSsl)
    {
        Config = config;
        OpenSsl = openSsl;
        _trust = trust;
        _chainPolicy = UpstreamJudge.ChainPolicyOf(trust);
        _certificate = certificate;
        _store = store;
        foreach (var version in config.EffectiveProtocols)
        {
            _protocols |= version == TlsVersion.Tls13 ? SslProtocols.Tls13 : SslProtocols.Tls12;
        }

        _cipherSuites = TlsPolicy.CipherSuitesOf(config.Ciphers, config.CipherSuites, config.EffectiveProtocols);
        _alpn = config.Alpn.Count == 0 ? null : [.. config.Alpn.Select(name => new SslApplicationProtocol(name))];
        _current = new Version(store.Version, certificate?.Entries[0], new OpenSslClientContext(config, trust, certificate?.Entries[0]));
    }

    public UpstreamTlsConfig Config { get; }

    /// <summary>What speaks TLS; null = SslStream.</summary>
    public OpenSslLibrary? OpenSsl { get; }

    /// <summary>With the certificate as it is now.</summary>
    public OpenSslClientContext OpenSslContext => Current().Context;

    /// <param name="config">Valid, and enabled.</param>
    /// <param name="trust">What its file of authorities holds; null = those of the system.</param>
    /// <param name="certificate">Shown to destinations that ask; null = none.</param>
    /// <param name="store">Swaps it.</param>
    /// <param name="openSsl">What speaks TLS; null = SslStream.</param>
    /// <param name="previous">The cluster's policy so far; it is kept when nothing has changed, and with it the sessions that can be resumed.</param>
    public static UpstreamTlsPolicy Compile(
        UpstreamTlsConfig config, TrustedAuthorities? trust, CertificateState? certificate, CertificateStore store, OpenSslLibrary? openSsl, UpstreamTlsPolicy? previous)
        => previous is not null
            && previous._store == store && previous.OpenSsl == openSsl && previous._certificate == certificate
            && (trust?.IsSameAs(previous._trust) ?? previous._trust is null)
            && config.IsSameAs(previous.Config)
            ? previous
            : new UpstreamTlsPolicy(config, trust, certificate, store, openSsl);

    /// <summary>For one handshake by SslStream.</summary>
    public SslClientAuthenticationOptions NewOptions(in UpstreamName name, UpstreamJudge judge) => new()
    {
        TargetHost = name.ToString(),
        EnabledSslProtocols = _protocols,
        CipherSuitesPolicy = _cipherSuites,
        ApplicationProtocols = _alpn,
        AllowRenegotiation = false,
        AllowTlsResume = Config.SessionResumption,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        CertificateChainPolicy = _chainPolicy,
        ClientCertificateContext = Current().SslStreamCertificate,
        RemoteCertificateValidationCallback = judge.Judge,
    };

    /// <summary>Why OpenSSL refuses a certificate under this policy; null = it does not, or the policy has nothing to do with it.</summary>
    public string? WhyNot(CertificateState state, CertificateEntry entry)
        => OpenSsl is not null && state == _certificate && !OpenSslClientContext.Check(Config, _trust, entry, out _, out var error)
            ? $"OpenSSL refuses it: {error.Text}"
            : null;

    private Version Current()
    {
        var current = _current;
        return _certificate is null || current.Store == _store.Version ? current : Renew();
    }

    private Version Renew()
    {
        lock (_rebuilding)
        {
            // Read before the certificate: a swap in between makes the next dial look once more.
            var version = _store.Version;
            var (current, entry) = (_current, _certificate!.Entries[0]);
            if (current.Store == version)
            {
                return current;
            }

            // Files that were written again with what they held before cost no session.
            if (entry == current.Certificate || entry.HasSameChain(current.Certificate!))
            {
                return _current = current with { Store = version };
            }

            return _current = new Version(version, entry, new OpenSslClientContext(Config, _trust, entry));
        }
    }

    /// <summary>What was made of one certificate.</summary>
    /// <param name="Store">Version of the store it was made at.</param>
    /// <param name="Certificate">Null = none is shown.</param>
    /// <param name="Context">For OpenSSL.</param>
    private sealed record Version(int Store, CertificateEntry? Certificate, OpenSslClientContext Context)
    {
        private readonly Lazy<SslStreamCertificateContext?> _sslStreamCertificate = new(() => Certificate?.CreateContext(trust: null));

        /// <summary>For SslStream; made when it is asked for.</summary>
        public SslStreamCertificateContext? SslStreamCertificate => _sslStreamCertificate.Value;
    }
}
