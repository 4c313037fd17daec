using KestrelStream.Configuration;

namespace KestrelStream.Tls;

/// <summary>The authorities and revocation lists of a config that is being applied, read once a file. Touches nothing that runs.</summary>
internal sealed class ClientTrusts
{
    private readonly Dictionary<string, ClientTrust> _routes = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<(string Trusted, string? Crl), ClientTrust> _trusts = [];
    private readonly TrustFiles _files;

    private ClientTrusts(TrustFiles files) => _files = files;

    /// <summary>Of a route; null = it asks for no certificates.</summary>
    public ClientTrust? this[string route] => _routes.GetValueOrDefault(route);

    /// <param name="config">Its routes.</param>
    /// <param name="basePath">What relative paths are relative to.</param>
    /// <param name="errors">Gets one for each file that is not good.</param>
    public static ClientTrusts Load(StreamProxyConfig config, string basePath, ICollection<ConfigError> errors)
    {
        var trusts = new ClientTrusts(new TrustFiles(basePath, errors));
        foreach (var (id, route) in config.Routes)
        {
            // What the keys themselves do wrong is said elsewhere.
            if (route.Tls is { Mode: TlsMode.Terminate, ClientCertificates: { Mode: not ClientCertificateMode.None, TrustedCertificates.Length: > 0, Crl: not "" } clients })
            {
                trusts.Add(id, clients);
            }
        }

        return trusts;
    }

    private void Add(string route, ClientCertificatesConfig clients)
    {
        if (_trusts.TryGetValue((clients.TrustedCertificates!, clients.Crl), out var known))
        {
            _routes.Add(route, known);
            return;
        }

        var path = $"StreamProxy:Routes:{route}:Tls:ClientCertificates";
        var certificates = _files.ReadCertificates($"{path}:{nameof(clients.TrustedCertificates)}", clients.TrustedCertificates!);
        var crls = clients.Crl is null ? null : _files.ReadCrls($"{path}:{nameof(clients.Crl)}", clients.Crl);
        if (certificates is not null && (clients.Crl is null || crls is not null))
        {
            var trust = new ClientTrust(certificates, crls);
            _trusts.Add((clients.TrustedCertificates!, clients.Crl), trust);
            _routes.Add(route, trust);
        }
    }
}
