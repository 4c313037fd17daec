using System.Globalization;
using KestrelStream.Configuration;
using KestrelStream.Tls.Ocsp;
using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Tls;

/// <summary>The TLS policies of a config that is being applied, by route; or what is wrong with them. Touches nothing that runs.</summary>
internal sealed class RoutePolicies
{
    /// <summary>What a route with <c>Action: Http</c> offers that does not say.</summary>
    private static readonly string[] s_http = ["h2", "http/1.1"];

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
    /// <param name="sources">Of the same config.</param>
    /// <param name="store">Swaps them.</param>
    /// <param name="openSsl">What ends TLS; null = SslStream. Asked for when a route needs it.</param>
    /// <param name="previous">A route's policy so far.</param>
    public static RoutePolicies Compile(
        StreamProxyConfig config, CertificateSet certificates, PolicySources sources, CertificateStore store, Lazy<OpenSslLibrary?> openSsl, Func<string, TlsPolicy?> previous)
    {
        var policies = new RoutePolicies();
        foreach (var (id, route) in config.Routes)
        {
            if (route.Tls is not { Mode: TlsMode.Terminate } tls)
            {
                continue;
            }

            if (route.Action == RouteAction.Http && tls.Alpn.Count == 0)
            {
                tls = tls with { Alpn = s_http };
            }

            // OpenSSL has the last word: it knows its security level, and what this system's settings forbid. Of thousands it is asked once for each kind.
            var states = tls.Certificates.Select(certificate => certificates.States[certificate]).ToList();
            var entries = states.SelectMany(state => certificates.EntriesOf(state).DistinctBy(entry => entry.Strength)).Concat(states.Where(state => state.IsAwaited).Select(state => state.StandIn).OfType<CertificateEntry>()).ToList();
            if (openSsl.Value is not null && !OpenSslContext.Check(tls, sources.Trusts[id], entries, out var refused, out var certificate, out var error))
            {
                var (key, file) = certificate is null ? (refused!, "") : (KeyOf(tls, certificate), certificate.IsStandIn ? " (the self-signed one until it is issued)" : $" ('{certificate.Files.Certificate.Target}')");
                policies._errors.Add(new ConfigError($"StreamProxy:Routes:{id}:Tls:{key}", $"OpenSSL refuses it: {error.Text}{file}"));
            }

            if (entries.Count > 0 && !entries.Exists(entry => entry.CanServe(tls)))
            {
                policies._errors.Add(new ConfigError(
                    $"StreamProxy:Routes:{id}:Tls:Ciphers",
                    $"no suite of {ErrorText.Quote(tls.Ciphers!)} is for a key of the route's certificates; valid: suites for {string.Join(" and ", entries.Select(entry => entry.KeyName).Distinct())}, or \"Tls13\" among Protocols"));
            }

            if (openSsl.Value is not null)
            {
                OcspFile.Check($"StreamProxy:Routes:{id}:Tls", tls, sources.BasePath, policies._errors);
            }

            // Validation goes by what the configuration asks for; what runs may be another engine, which was chosen at start.
            if (openSsl.Value is null)
            {
                policies._errors.AddRange(SslStreamLimits.Of(tls).Select(limit => new ConfigError(
                    $"StreamProxy:Routes:{id}:Tls:{limit.Key}", $"{limit.Message}, which ends TLS now; valid: {limit.Valid}, or restart with OpenSSL")));
            }

            if (policies._errors.Count == 0)
            {
                var basis = new TlsPolicyBasis(
                    id, tls, sources.Trusts[id], openSsl.Value is null ? null : sources.TicketKeys.Routes.GetValueOrDefault(id), OcspSource.Of(tls, sources.Stapler, sources.BasePath));
                policies._policies.Add(id, TlsPolicy.Compile(basis, certificates.States, store, previous(id), openSsl.Value));
            }
        }

        return policies;
    }

    private static string KeyOf(RouteTlsConfig tls, CertificateEntry certificate)
    {
        var number = tls.Certificates.TakeWhile(id => !id.Equals(certificate.Id, StringComparison.OrdinalIgnoreCase)).Count();
        return string.Create(CultureInfo.InvariantCulture, $"{nameof(tls.Certificates)}:{number}");
    }
}
