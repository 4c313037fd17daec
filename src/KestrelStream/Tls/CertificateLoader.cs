using System.Globalization;
using System.Net.Security;
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

    private readonly string _id;
    private readonly CertificateConfig _config;
    private readonly string _path;
    private readonly string? _keyPath;

    // What the steps find, one after the other; null or empty until then.
    private X509Certificate2? _leaf;
    private List<X509Certificate2> _intermediates = [];

    private CertificateLoader(string id, CertificateConfig config, string basePath)
    {
        _id = id;
        _config = config;
        (_path, _keyPath) = ResolvePaths(config, basePath);
    }

    /// <summary>The absolute paths of a certificate's files.</summary>
    public static (string Path, string? KeyPath) ResolvePaths(CertificateConfig config, string basePath) =>
        (Path.GetFullPath(config.Path, basePath), config.KeyPath is null ? null : Path.GetFullPath(config.KeyPath, basePath));

    /// <param name="id">Of the certificate.</param>
    /// <param name="config">Files and password.</param>
    /// <param name="basePath">What relative paths are relative to.</param>
    /// <param name="now">For the warning about a certificate that is not valid now.</param>
    public static CertificateLoadResult Load(string id, CertificateConfig config, string basePath, DateTimeOffset now)
    {
        if (config.Path.Length == 0)
        {
            return new CertificateLoadResult(null, new CertificateError(id, nameof(config.Path), "no certificate file is named"), null, default);
        }

        return new CertificateLoader(id, config, basePath).Load(now);
    }

    private CertificateLoadResult Load(DateTimeOffset now)
    {
        var files = CertificateFiles.Read(_path, _keyPath);
        try
        {
            var error = ReadFile(nameof(_config.Path), _path, out var content)
                ?? (PemBlock.IsPem(content) ? ReadPem(content) : ReadPfx(content))
                ?? CheckKeySize();
            if (error is not null)
            {
                return new CertificateLoadResult(null, error, null, files);
            }

            var entry = CreateEntry(files);
            return CertificateFiles.Read(_path, _keyPath) == files
                ? new CertificateLoadResult(entry, null, WarningOf(entry, now), files)
                : new CertificateLoadResult(null, Error(nameof(_config.Path), $"'{_path}' was changed while it was read"), null, files);
        }
        catch (Exception e) when (e is CryptographicException or NotSupportedException)
        {
            // The certificate could be read but not used, as with an extension that is not the ASN.1 it should be.
            return new CertificateLoadResult(null, Error(nameof(_config.Path), $"'{_path}' cannot be used: {e.Message}"), null, files);
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
        using var rsa = leaf.GetRSAPublicKey();
        using var ecdsa = leaf.GetECDsaPublicKey();
        var (kind, bits, needed) = rsa is not null ? ("an RSA", rsa.KeySize, MinRsaBits) : ("an ECDSA", ecdsa?.KeySize ?? 0, MinEcdsaBits);
        return bits == 0 ? Error(nameof(_config.Path), $"'{_path}' has a key of another kind ({leaf.PublicKey.Oid.FriendlyName ?? leaf.PublicKey.Oid.Value}) than RSA or ECDSA")
            : bits < needed ? Error(nameof(_config.Path), $"'{_path}' has {kind} key of {bits} bits; at least {needed} are needed")
            : null;
    }

    private CertificateEntry CreateEntry(CertificateFiles files) => new()
    {
        Id = _id,
        Leaf = _leaf!,
        Intermediates = _intermediates,
        // Offline: a start or a handshake must never wait for somebody else's web server.
        Context = SslStreamCertificateContext.Create(_leaf!, [.. _intermediates], offline: true),
        DnsNames = DnsNamesOf(_leaf!),
        NotBefore = _leaf!.NotBefore.ToUniversalTime(),
        NotAfter = _leaf.NotAfter.ToUniversalTime(),
        Files = files,
    };

    private string? WarningOf(CertificateEntry entry, DateTimeOffset now) =>
        now > entry.NotAfter ? string.Create(CultureInfo.InvariantCulture, $"'{_path}' expired on {entry.NotAfter:u}")
        : now < entry.NotBefore ? string.Create(CultureInfo.InvariantCulture, $"'{_path}' is not valid before {entry.NotBefore:u}")
        : null;

    private static List<string> DnsNamesOf(X509Certificate2 leaf)
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
