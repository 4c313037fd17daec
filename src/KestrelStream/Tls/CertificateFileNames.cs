namespace KestrelStream.Tls;

/// <summary>
/// Which files of a folder belong together, by their names: certbot's, Kubernetes', lego's and mkcert's, HAProxy's combined files, PFX. Pure.
/// </summary>
internal static class CertificateFileNames
{
    private const string Pem = ".pem";

    // Of two certificates with one key the earlier ending has it.
    private static readonly string[] s_certificates = [".crt", ".cer", ".cert", Pem];
    private static readonly string[] s_bundles = [".pfx", ".p12"];

    // certbot: fullchain.pem has what cert.pem and chain.pem have.
    private static readonly string[] s_certbot = ["fullchain.pem", "privkey.pem", "cert.pem", "chain.pem"];

    /// <summary>Whether a file can be part of a pair at all.</summary>
    public static bool IsOurs(ReadOnlySpan<char> name)
        => EndsWithAny(name, s_certificates) || EndsWithAny(name, s_bundles) || name.EndsWith(".key", StringComparison.Ordinal);

    /// <summary>Certificates with the file of their key; null = in the file itself, if it is a certificate to show at all.</summary>
    /// <param name="names">Of one folder, without path.</param>
    public static List<(string Certificate, string? Key)> Pair(IReadOnlySet<string> names)
    {
        var pairs = new List<(string, string?)>();
        var taken = new HashSet<string>();
        if (names.Contains(s_certbot[0]) && names.Contains(s_certbot[1]))
        {
            pairs.Add((s_certbot[0], s_certbot[1]));
            taken.UnionWith(s_certbot);
        }

        foreach (var ending in s_certificates)
        {
            foreach (var name in names.Where(name => name.EndsWith(ending, StringComparison.Ordinal) && !taken.Contains(name)))
            {
                var stem = name[..^ending.Length];
                if ((Find($"{stem}.key") ?? Find($"{name}.key") ?? Find($"{stem}-key.pem")) is { } key)
                {
                    pairs.Add((name, key));
                    taken.Add(key);
                    taken.Add(name);
                }
            }
        }

        pairs.AddRange(names.Where(name => !taken.Contains(name) && (name.EndsWith(Pem, StringComparison.Ordinal) || EndsWithAny(name, s_bundles))).Select(name => (name, (string?)null)));
        return pairs;

        string? Find(string key) => names.Contains(key) && !taken.Contains(key) ? key : null;
    }

    private static bool EndsWithAny(ReadOnlySpan<char> name, string[] endings)
    {
        foreach (var ending in endings)
        {
            if (name.EndsWith(ending, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }
}
