using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KestrelStream.Acme.Documents;
using KestrelStream.Acme.Issuing;
using KestrelStream.Configuration;
using KestrelStream.Tls;

namespace KestrelStream.Acme.Storage;

/// <summary>
/// The folder of accounts, orders and certificates. Every file is its owner's alone and is replaced as a whole, so that a crash leaves the old one or the
/// new one. What cannot be read counts as missing; what cannot be written throws. Thread-safe for different ids.
/// </summary>
/// <param name="folder">Absolute.</param>
internal sealed class AcmeStorage(string folder)
{
    private const UnixFileMode OwnerFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerFolder = OwnerFile | UnixFileMode.UserExecute;

    /// <summary>Stands before the certificate: PEM readers pass over it (RFC 7468 §2).</summary>
    private const string DirectoryLine = "ACME directory: ";

    private const string NamesLine = "ACME names: ";

    private const int MaxFileBytes = 1 << 20;

    public string Folder => folder;

    /// <summary>Before anything is asked for that could not be kept.</summary>
    /// <exception cref="IOException">Nothing can be written.</exception>
    /// <exception cref="UnauthorizedAccessException">Nothing may be written.</exception>
    public void EnsureWritable()
    {
        var probe = Path.Combine(folder, $".probe-{Guid.NewGuid():n}");
        Write(probe, "");
        File.Delete(probe);
    }

    public StoredAccount? ReadAccount(string directory, string? keyId) => Read(AccountPath(directory, keyId), AcmeJson.Default.StoredAccount);

    public void WriteAccount(StoredAccount account, string? keyId) => Write(AccountPath(account.Directory!, keyId), JsonSerializer.Serialize(account, AcmeJson.Default.StoredAccount));

    public StoredOrder? ReadOrder(string id) => Read(OrderPath(id), AcmeJson.Default.StoredOrder);

    public void WriteOrder(string id, StoredOrder order) => Write(OrderPath(id), JsonSerializer.Serialize(order, AcmeJson.Default.StoredOrder));

    public void DeleteOrder(string id) => File.Delete(OrderPath(id));

    /// <summary>Null also where its key is missing or another's: nobody could serve it.</summary>
    public StoredCertificate? ReadCertificate(string id)
    {
        if (ReadText(CertificatePath(id)) is not { } text || !PemBlock.TryReadAll(text, out var blocks) || blocks.Find(block => block.IsCertificate) is not { Label: not null } leaf)
        {
            return null;
        }

        try
        {
            var certificate = X509CertificateLoader.LoadCertificate(leaf.Decode());
            using var key = CertificateKey.Of(certificate, text);
            if (key is not null)
            {
                return new StoredCertificate(certificate, LineOf(text, DirectoryLine), LineOf(text, NamesLine)?.Split(' '));
            }

            certificate.Dispose();
        }
        catch (CryptographicException)
        {
            // Damaged.
        }

        return null;
    }

    /// <summary>In one file, so that certificate and key are never of two ages.</summary>
    /// <param name="id">Of the certificate.</param>
    /// <param name="config">What it was ordered by.</param>
    /// <param name="chain">PEM, the certificate first.</param>
    /// <param name="key">PEM.</param>
    public void WriteCertificate(string id, AcmeConfig config, string chain, string key)
        => Write(CertificatePath(id), $"{DirectoryLine}{config.Directory}\n{NamesLine}{string.Join(' ', config.Names)}\n{chain}\n{key}\n");

    /// <summary>What stands behind the beginning of a line before the certificate; null = there is none.</summary>
    private static string? LineOf(string text, string begin)
        => text[..text.IndexOf("-----BEGIN", StringComparison.Ordinal)].Split('\n').FirstOrDefault(line => line.StartsWith(begin, StringComparison.Ordinal))?[begin.Length..].Trim();

    private string CertificatePath(string id) => AcmeFiles.PathOf(id, folder);

    private string OrderPath(string id) => Path.Combine(folder, AcmeFiles.NameOf(id) + ".order");

    /// <summary>By the authority's host, for people, and a digest of all that tells accounts apart.</summary>
    private string AccountPath(string directory, string? keyId)
    {
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{directory}\n{keyId}")))[..12];
        return Path.Combine(folder, $"{new Uri(directory).IdnHost.Replace(':', '_')}-{digest}.account");
    }

    private static T? Read<T>(string path, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return ReadText(path) is { } text ? JsonSerializer.Deserialize(text, type) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? ReadText(string path)
    {
        try
        {
            var file = new FileInfo(path);
            return file.Exists && file.Length <= MaxFileBytes ? File.ReadAllText(path, Encoding.UTF8) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private void Write(string path, string text)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, OwnerFolder);
        }

        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerFile;
        }

        var draft = $"{path}.{Guid.NewGuid():n}.new";
        try
        {
            using (var stream = new FileStream(draft, options))
            {
                stream.Write(Encoding.UTF8.GetBytes(text));
                stream.Flush(flushToDisk: true);
            }

            File.Move(draft, path, overwrite: true);
        }
        catch
        {
            File.Delete(draft);
            throw;
        }
    }
}
