using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KestrelStream.Configuration;

namespace KestrelStream.Tls;

/// <summary>PEM files of authorities and revocation lists, read once each while a config is being applied. What is wrong with one is an error. Not thread-safe.</summary>
/// <param name="basePath">What relative paths are relative to.</param>
/// <param name="errors">Gets one for each file that is not good.</param>
internal sealed class TrustFiles(string basePath, ICollection<ConfigError> errors)
{
    /// <summary>Lists of large authorities have some MiB; beyond this the path leads to something else, perhaps without an end.</summary>
    private const int MaxFileBytes = 32 << 20;

    private const string CrlLabel = "X509 CRL";

    private readonly Dictionary<string, (List<PemBlock>? Blocks, string? Problem)> _files = [];

    /// <summary>Null = the file is not good.</summary>
    /// <param name="path">Of the key, for the error.</param>
    /// <param name="file">What it names.</param>
    public X509Certificate2Collection? ReadCertificates(string path, string file)
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

    /// <summary>DER. Null = the file is not good. Whether a list is one is said by OpenSSL, which alone reads it: see <see cref="OpenSsl.OpenSslTrust"/>.</summary>
    public List<byte[]>? ReadCrls(string path, string file)
        => Decode(path, file, "a PEM file of revocation lists", block => block.Label == CrlLabel, "revocation list");

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
            var path = Path.GetFullPath(file, basePath);
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

    private void Error(string path, string message) => errors.Add(new ConfigError(path, message));
}
