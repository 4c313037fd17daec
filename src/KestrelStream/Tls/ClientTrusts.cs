using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KestrelStream.Configuration;

namespace KestrelStream.Tls;

/// <summary>The authorities and revocation lists of a config that is being applied, read once a file. Touches nothing that runs.</summary>
internal sealed class ClientTrusts
{
    /// <summary>Lists of large authorities have some MiB; beyond this the path leads to something else, perhaps without an end.</summary>
    private const int MaxFileBytes = 32 << 20;

    private const string CrlLabel = "X509 CRL";

    private readonly Dictionary<string, ClientTrust> _routes = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, (List<PemBlock>? Blocks, string? Problem)> _files = [];
    private readonly Dictionary<(string Trusted, string? Crl), ClientTrust> _trusts = [];
    private readonly string _basePath;
    private readonly ICollection<ConfigError> _errors;

    private ClientTrusts(string basePath, ICollection<ConfigError> errors)
    {
        _basePath = basePath;
        _errors = errors;
    }

    /// <summary>Of a route; null = it asks for no certificates.</summary>
    public ClientTrust? this[string route] => _routes.GetValueOrDefault(route);

    /// <param name="config">Its routes.</param>
    /// <param name="basePath">What relative paths are relative to.</param>
    /// <param name="errors">Gets one for each file that is not good.</param>
    public static ClientTrusts Load(StreamProxyConfig config, string basePath, ICollection<ConfigError> errors)
    {
        var trusts = new ClientTrusts(basePath, errors);
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
        var certificates = ReadCertificates($"{path}:{nameof(clients.TrustedCertificates)}", clients.TrustedCertificates!);
        var crls = clients.Crl is null ? null : ReadCrls($"{path}:{nameof(clients.Crl)}", clients.Crl);
        if (certificates is not null && (clients.Crl is null || crls is not null))
        {
            var trust = new ClientTrust(certificates, crls);
            _trusts.Add((clients.TrustedCertificates!, clients.Crl), trust);
            _routes.Add(route, trust);
        }
    }

    private X509Certificate2Collection? ReadCertificates(string path, string file)
    {
        const string valid = "a PEM file of certificates, among them a root";
        if (Decode(path, file, valid, block => block.IsCertificate, "certificate") is not { } blocks)
        {
            return null;
        }

        var certificates = new X509Certificate2Collection();
        foreach (var der in blocks)
        {
            try
            {
                certificates.Add(X509CertificateLoader.LoadCertificate(der));
            }
            catch (CryptographicException)
            {
                Error(path, $"{ErrorText.Quote(file)}: its certificate {certificates.Count + 1} is damaged; valid: {valid}");
                return null;
            }
        }

        // A chain ends at a root, as with nginx: with intermediates alone nobody would ever get in.
        if (!certificates.Any(certificate => certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData)))
        {
            Error(path, $"{ErrorText.Quote(file)}: it has no root, that is no certificate issued by itself; valid: {valid}");
            return null;
        }

        return certificates;
    }

    // Whether a list is one is said by OpenSSL, which alone reads it: see OpenSslTrust.
    private List<byte[]>? ReadCrls(string path, string file) => Decode(path, file, "a PEM file of revocation lists", block => block.Label == CrlLabel, "revocation list");

    private List<byte[]>? Decode(string path, string file, string valid, Func<PemBlock, bool> isWanted, string what)
    {
        if (!_files.TryGetValue(file, out var read))
        {
            _files[file] = read = Read(file);
        }

        var wanted = read.Blocks?.Where(isWanted).Select(block => block.Decode()).ToList();
        var problem = read.Problem ?? (wanted!.Count == 0 ? $"it has no {what}" : null);
        if (problem is not null)
        {
            Error(path, $"{ErrorText.Quote(file)}: {problem}; valid: {valid}");
        }

        return problem is null ? wanted : null;
    }

    private (List<PemBlock>? Blocks, string? Problem) Read(string file)
    {
        try
        {
            var path = Path.GetFullPath(file, _basePath);
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (stream.Length is 0 or > MaxFileBytes)
            {
                return (null, stream.Length == 0 ? "the file is empty" : $"the file has more than {MaxFileBytes} bytes");
            }

            var content = new byte[stream.Length];
            stream.ReadExactly(content);

            // What stands around the blocks may be in any encoding; Latin-1 takes every byte.
            return PemBlock.TryReadAll(Encoding.Latin1.GetString(content), out var blocks) ? (blocks, null) : (null, "a PEM block is cut off or damaged");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return (null, "the file does not exist");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            return (null, e.Message);
        }
    }

    private void Error(string path, string message) => _errors.Add(new ConfigError(path, message));
}
