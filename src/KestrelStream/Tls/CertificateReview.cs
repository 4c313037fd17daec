using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Configuration;
using KestrelStream.Routing;

namespace KestrelStream.Tls;

/// <summary>What clients will not like about certificates that can be used: for <c>check</c>. Reads nothing but the roots of the system. Thread-safe.</summary>
internal static class CertificateReview
{
    /// <param name="config">Valid as far as routes name certificates.</param>
    /// <param name="set">Its certificates.</param>
    /// <param name="now">What is valid.</param>
    public static IEnumerable<ConfigError> Of(StreamProxyConfig config, CertificateSet set, DateTimeOffset now) =>
    [
        .. set.Warnings.Select(warning => new ConfigError(warning.ConfigPath, warning.Message)),
        .. set.States.Values.OrderBy(state => state.Id, StringComparer.OrdinalIgnoreCase).SelectMany(state => OfState(state, now)),
        .. config.Routes.OrderBy(route => route.Key, StringComparer.OrdinalIgnoreCase).SelectMany(route => OfRoute(route.Key, route.Value, set)),
    ];

    private static IEnumerable<ConfigError> OfState(CertificateState state, DateTimeOffset now)
    {
        var path = $"StreamProxy:Certificates:{state.Id}:{state.ConfigKey}";
        if (state.Folder is not null && state.Entries.Count == 0)
        {
            yield return new ConfigError(path, $"'{state.Folder.Path}' has no certificate");
        }

        // One authority has issued many: its chain is looked at once.
        var gaps = new Dictionary<string, string?>();
        foreach (var entry in state.Entries)
        {
            var file = entry.Files.Certificate.Target;
            if (entry.NotAfter > now && entry.NotAfter - now < state.Soon)
            {
                yield return new ConfigError(path, string.Create(CultureInfo.InvariantCulture, $"'{file}' ends soon, on {entry.NotAfter:u}"));
            }

            using var leaf = X509CertificateLoader.LoadCertificate(entry.Certificate);
            if (leaf.SubjectName.RawData.AsSpan().SequenceEqual(leaf.IssuerName.RawData))
            {
                yield return new ConfigError(path, $"'{file}' is self-signed: clients trust it only when they were told to");
                continue;
            }

            var issuer = Convert.ToHexString(entry.Chain.Count > 0 ? entry.Chain[^1].Der : leaf.IssuerName.RawData);
            if (!gaps.TryGetValue(issuer, out var missing))
            {
                gaps.Add(issuer, missing = entry.EndsInRoot ? null : MissingIssuer(leaf, entry.Chain));
            }

            if (missing is not null)
            {
                yield return new ConfigError(path, $"the chain of '{file}' is incomplete: the certificate of \"{missing}\" is neither in the file nor one of the roots of this system");
            }
        }
    }

    private static IEnumerable<ConfigError> OfRoute(string id, RouteConfig route, CertificateSet set)
    {
        if (route.Tls is not { Mode: TlsMode.Terminate } tls || !tls.Certificates.All(set.States.ContainsKey) || tls.Certificates.Count == 0)
        {
            yield break;
        }

        var states = tls.Certificates.Select(certificate => set.States[certificate]).ToList();
        var names = new CertificateNames([.. states.Select(set.EntriesOf)], awaited: [], hasDefault: false, previous: null);
        var what = (tls.UnknownName ?? CertificateGroup.DefaultOf(states[0])) == UnknownName.Reject ? "are refused" : $"are shown {ErrorText.Quote(tls.Certificates[0])}";
        for (var i = 0; i < route.Match.Sni.Count; i++)
        {
            foreach (var name in NamesOf(route.Match.Sni[i]).Where(name => names.Find(name) is null && !states.Exists(state => state.Awaits(name))))
            {
                yield return new ConfigError(
                    string.Create(CultureInfo.InvariantCulture, $"StreamProxy:Routes:{id}:Match:Sni:{i}"), $"no certificate of the route has {ErrorText.Quote(name)}: clients that ask for it {what}");
            }
        }

        foreach (var warning in OfCiphers(id, tls, states, set))
        {
            yield return warning;
        }
    }

    /// <summary>Names whose only certificates have keys that <c>Ciphers</c> has no suite for: clients of TLS 1.2 are refused there.</summary>
    private static IEnumerable<ConfigError> OfCiphers(string id, RouteTlsConfig tls, IReadOnlyList<CertificateState> states, CertificateSet set)
    {
        if (tls.Ciphers is not { } ciphers || !tls.Protocols.Contains(TlsVersion.Tls12) || !tls.Protocols.Contains(TlsVersion.Tls13))
        {
            return [];
        }

        // There may be ten thousand certificates, but there are two kinds of keys.
        var kinds = states.SelectMany(set.EntriesOf).ToLookup(entry => entry.IsRsa);
        var served = kinds.ToLookup(kind => CipherString.Serves(ciphers, kind.Key));
        var names = served[true].SelectMany(kind => kind).SelectMany(entry => entry.DnsNames).ToHashSet();
        return served[false].SelectMany(kind => kind).Where(entry => !names.IsSupersetOf(entry.DnsNames)).Select(entry => new ConfigError(
            $"StreamProxy:Routes:{id}:Tls:Ciphers",
            $"no suite of {ErrorText.Quote(ciphers)} is for the {entry.KeyName} key of '{entry.Files.Certificate.Target}': clients of TLS 1.2 are refused with it"));
    }

    /// <summary>What a certificate can have; prefixes and expressions stand for names that nobody can list.</summary>
    private static IReadOnlyList<string> NamesOf(string text)
        => SniPattern.TryParse(text, out var pattern, out _) && pattern!.Kind is not (SniPatternKind.Prefix or SniPatternKind.Regex) ? pattern.Forms : [];

    private static string? MissingIssuer(X509Certificate2 leaf, IReadOnlyList<ChainCertificate> others)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ExtraStore.AddRange(others.Select(other => X509CertificateLoader.LoadCertificate(other.Der)).ToArray());
        _ = chain.Build(leaf);
        var missing = chain.ChainStatus.Any(status => status.Status == X509ChainStatusFlags.PartialChain) ? chain.ChainElements[^1].Certificate.Issuer : null;
        foreach (var certificate in chain.ChainPolicy.ExtraStore.Concat(chain.ChainElements.Select(element => element.Certificate)))
        {
            certificate.Dispose();
        }

        return missing;
    }
}
