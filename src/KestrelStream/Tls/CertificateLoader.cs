using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Configuration;

namespace KestrelStream.Tls;

/// <summary>
/// Loads a certificate with its key from the files a <see cref="CertificateConfig"/> names. What is wrong with them is a value, not an exception.
/// One per attempt; not thread-safe.
/// </summary>
internal sealed partial class CertificateLoader
{
    /// <summary>A chain is a few KiB; beyond this the path leads to something else, perhaps without an end.</summary>
    private const int MaxFileBytes = 1 << 20;

    private const int MinRsaBits = 2048;
    private const int MinEcdsaBits = 224;

    /// <summary>Object identifier of RSA keys.</summary>
    public const string RsaOid = "1.2.840.113549.1.1.1";

    private readonly string _id;
    private readonly CertificateConfig _config;
    private readonly CertificatePaths _paths;
    private readonly string _path;
    private readonly string? _keyPath;

    // What the steps find, one after the other; null or empty until then.
    private X509Certificate2? _leaf;
    private byte[]? _key;
    private int _keyBits;
    private List<ChainCertificate> _others = [];

    private CertificateLoader(string id, CertificateConfig config, CertificatePaths paths)
    {
        _id = id;
        _config = config;
        _paths = paths;
        (_path, _keyPath) = paths;
    }

    /// <param name="id">Of the certificate.</param>
    /// <param name="config">Files and password.</param>
    /// <param name="basePath">What relative paths are relative to.</param>
    /// <param name="now">For the warning about a certificate that is not valid now.</param>
    public static CertificateLoadResult Load(string id, CertificateConfig config, string basePath, DateTimeOffset now)
    {
        if (config.Path.Length == 0)
        {
            return new CertificateLoadResult(null, new CertificateError(id, nameof(config.Path), "no certificate file is named"), [], default);
        }

        return Load(id, config, CertificatePaths.Of(id, config, basePath), now);
    }

    /// <param name="id">Of the certificate.</param>
    /// <param name="config">Has the password.</param>
    /// <param name="paths">Where the files are, whatever <paramref name="config"/> says.</param>
    /// <param name="now">For the warning about a certificate that is not valid now.</param>
    /// <param name="folders">What is known of the folders' modes; null = nothing.</param>
    public static CertificateLoadResult Load(
        string id, CertificateConfig config, CertificatePaths paths, DateTimeOffset now, ConcurrentDictionary<string, bool>? folders = null)
    {
        var loader = new CertificateLoader(id, config, paths);
        try
        {
            return loader.Load(now, folders);
        }
        finally
        {
            loader._leaf?.Dispose();
        }
    }

    private CertificateLoadResult Load(DateTimeOffset now, ConcurrentDictionary<string, bool>? folders)
    {
        var files = CertificateFiles.Read(_paths);
        try
        {
            var error = ReadFile(nameof(_config.Path), _path, out var content)
                ?? (PemBlock.IsPem(content) ? ReadPem(content) : ReadPfx(content))
                ?? CheckKeySize();
            if (error is not null)
            {
                return new CertificateLoadResult(null, error, [], files);
            }

            var entry = CreateEntry(files);
            return CertificateFiles.Read(_paths) == files
                ? new CertificateLoadResult(entry, null, [.. WarningsOf(entry, now, folders)], files)
                : new CertificateLoadResult(null, Error(nameof(_config.Path), $"'{_path}' was changed while it was read"), [], files);
        }
        catch (Exception e) when (e is CryptographicException or NotSupportedException)
        {
            // The certificate could be read but not used, as with an extension that is not the ASN.1 it should be.
            return new CertificateLoadResult(null, Error(nameof(_config.Path), $"'{_path}' cannot be used: {e.Message}"), [], files);
        }
    }

    private CertificateError Error(string key, string message) => new(_id, key, message);

    private CertificateError? ReadFile(string key, string path, out byte[] content)
    {
        content = [];
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (stream.Length > MaxFileBytes)
            {
                return Error(key, $"'{path}' is too long for a certificate or a key: {stream.Length} bytes");
            }

            content = new byte[stream.Length];
            stream.ReadExactly(content);
            return content.Length > 0 ? null : Error(key, $"'{path}' is empty");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return Error(key, $"'{path}' does not exist");
        }
        catch (UnauthorizedAccessException) when (Directory.Exists(path))
        {
            return Error(key, $"'{path}' is a directory");
        }
        catch (UnauthorizedAccessException)
        {
            return Error(key, $"'{path}' may not be read by this user");
        }
        catch (IOException e)
        {
            return Error(key, $"'{path}' cannot be read: {e.Message}");
        }
    }

    /// <summary>OpenSSL refuses smaller keys, but says so only when a client connects.</summary>
    private CertificateError? CheckKeySize()
    {
        var leaf = _leaf!;
        var bits = _keyBits;
        var (kind, needed) = leaf.GetKeyAlgorithm() == RsaOid ? ("an RSA", MinRsaBits) : ("an ECDSA", MinEcdsaBits);
        return bits == 0 ? Error(nameof(_config.Path), $"'{_path}' has a key of another kind ({leaf.PublicKey.Oid.FriendlyName ?? leaf.PublicKey.Oid.Value}) than RSA or ECDSA")
            : bits < needed ? Error(nameof(_config.Path), $"'{_path}' has {kind} key of {bits} bits; at least {needed} are needed")
            : null;
    }

    private CertificateEntry CreateEntry(CertificateFiles files)
    {
        var leaf = _leaf!;
        var chain = ChainCertificate.Order(leaf, _others, out var endsInRoot);
        return new CertificateEntry
        {
            Id = _id,
            Certificate = leaf.RawData,
            PrivateKey = _key!,
            Chain = chain,
            EndsInRoot = endsInRoot,
            KeyAlgorithm = string.Intern(leaf.GetKeyAlgorithm()),
            Strength = string.Intern(string.Join(' ', chain.Select(certificate => certificate.Strength).Prepend(ChainCertificate.StrengthOf(leaf)))),
            MustStaple = Ocsp.OcspSubject.MustStaple(leaf),
            DnsNames = DnsNamesOf(leaf),
            NotBefore = leaf.NotBefore.ToUniversalTime(),
            NotAfter = leaf.NotAfter.ToUniversalTime(),
            Files = files,
        };
    }

    private IEnumerable<CertificateError> WarningsOf(CertificateEntry entry, DateTimeOffset now, ConcurrentDictionary<string, bool>? folders)
    {
        if (now > entry.NotAfter)
        {
            yield return Error(nameof(_config.Path), string.Create(CultureInfo.InvariantCulture, $"'{_path}' expired on {entry.NotAfter:u}"));
        }

        if (now < entry.NotBefore)
        {
            yield return Error(nameof(_config.Path), string.Create(CultureInfo.InvariantCulture, $"'{_path}' is not valid before {entry.NotBefore:u}"));
        }

        if (KeyFileAccess.IsOpenToAll(entry.Files.KeyTarget, folders))
        {
            yield return Error(
                _keyPath is null ? nameof(_config.Path) : nameof(_config.KeyPath), $"'{_paths.KeyFile}' has a private key and can be read by every user of this machine");
        }
    }

    /// <summary>See <see cref="CertificateEntry.DnsNames"/>.</summary>
    public static List<string> DnsNamesOf(X509Certificate2 leaf)
    {
        // RFC 6125 §6.4.4: the common name counts only when there are no alternative names.
        var extension = leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        var names = extension is not null
            ? extension.EnumerateDnsNames()
            : leaf.SubjectName.EnumerateRelativeDistinguishedNames()
                .Where(name => !name.HasMultipleElements && name.GetSingleElementType().Value == "2.5.4.3")
                .Select(name => name.GetSingleElementValue() ?? "");
        return [.. names.Select(name => name.TrimEnd('.').ToLowerInvariant()).Where(name => name.Length > 0).Distinct()];
    }
}
