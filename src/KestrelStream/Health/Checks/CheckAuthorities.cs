using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Configuration;

namespace KestrelStream.Health.Checks;

/// <summary>The files of authorities that checks trust, read. By cluster id.</summary>
internal static class CheckAuthorities
{
    /// <summary>Every file that is not good is an error; nothing is kept open.</summary>
    public static IReadOnlyDictionary<string, X509Certificate2Collection> Load(StreamProxyConfig config, string basePath, ICollection<ConfigError> errors)
    {
        var authorities = ConfigMap.Create<X509Certificate2Collection>();
        foreach (var (id, cluster) in config.Clusters)
        {
            if (cluster.HealthCheck?.Active?.TrustedCertificates is not { Length: > 0 } file)
            {
                continue;
            }

            var loaded = new X509Certificate2Collection();
            string? problem = null;
            try
            {
                loaded.ImportFromPemFile(Path.Combine(basePath, file));
                problem = loaded.Count == 0 ? "it has no certificate" : null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
            {
                problem = e.Message;
            }

            if (problem is null)
            {
                authorities[id] = loaded;
            }
            else
            {
                errors.Add(new ConfigError($"StreamProxy:Clusters:{id}:HealthCheck:Active:TrustedCertificates", $"{ErrorText.Quote(file)}: {problem}; valid: a PEM file of certificates"));
            }
        }

        return authorities;
    }
}
