using KestrelStream.Configuration;
using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Tls;

/// <summary>The TLS policies of a config that is being applied, by route; or what is wrong with them. Touches nothing that runs.</summary>
internal sealed class RoutePolicies
{
    private readonly Dictionary<string, TlsPolicy> _policies = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<ConfigError> _errors = [];

    private RoutePolicies()
    {
    }

    /// <summary>Any error means that the config must not be applied.</summary>
    public IReadOnlyList<ConfigError> Errors => _errors;

    public TlsPolicy this[string route] => _policies[route];

    /// <param name="config">Valid in itself.</param>
    /// <param name="certificates">Without errors.</param>
    /// <param name="store">Swaps them.</param>
    /// <param name="openSsl">What ends TLS; null = SslStream.</param>
    /// <param name="previous">A route's policy so far.</param>
    public static RoutePolicies Compile(
        StreamProxyConfig config, CertificateSet certificates, CertificateStore store, OpenSslLibrary? openSsl, Func<string, TlsPolicy?> previous)
    {
        var policies = new RoutePolicies();
        var loaded = certificates.Loaded.ToDictionary(pair => pair.State, pair => pair.Result.Entry!);
        foreach (var (id, route) in config.Routes)
        {
            if (route.Tls is not { Mode: TlsMode.Terminate } tls)
            {
                continue;
            }

            if (openSsl is not null)
            {
                policies.Check($"StreamProxy:Routes:{id}:Tls", tls, tls.Certificates.Select(c => certificates.States[c]).Select(s => loaded.GetValueOrDefault(s, s.Current)));
            }

            if (policies._errors.Count == 0)
            {
                policies._policies.Add(id, TlsPolicy.Compile(tls, certificates.States, store, previous(id), openSsl));
            }
        }

        return policies;
    }

    /// <summary>OpenSSL has the last word: it knows its security level, and what this system's settings forbid.</summary>
    private void Check(string path, RouteTlsConfig config, IEnumerable<CertificateEntry> certificates)
    {
        if (OpenSslContext.Create(config, [], out var key, out var error) is not { } context)
        {
            _errors.Add(new ConfigError($"{path}:{key}", $"OpenSSL refuses it: {error.Text}"));
            return;
        }

        foreach (var (certificate, i) in certificates.Select((certificate, i) => (certificate, i)))
        {
            if (!context.Takes(certificate, out error))
            {
                _errors.Add(new ConfigError($"{path}:Certificates:{i}", $"{ErrorText.Quote(certificate.Id)}: OpenSSL refuses it: {error.Text}"));
            }
        }
    }
}
