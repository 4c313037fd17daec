using System.Security.Cryptography;
using System.Text;
using KestrelStream.Configuration;

namespace KestrelStream.Tls;

/// <summary>Where in <see cref="AcmeConfig.Storage"/> a certificate is kept: the one file that the store reads and watches, and that an ACME client replaces.</summary>
internal static class AcmeFiles
{
    /// <summary>File systems end at 255 bytes; endings are put behind it.</summary>
    private const int MaxNameLength = 200;

    /// <param name="id">Of the certificate.</param>
    /// <param name="storage">Absolute.</param>
    public static string PathOf(string id, string storage) => Path.Combine(storage, NameOf(id) + ".pem");

    /// <summary>An id, which ignores case and may hold anything, as the name of a file.</summary>
    public static string NameOf(string id)
    {
        var name = Uri.EscapeDataString(id.ToLowerInvariant());
        return name.Length <= MaxNameLength ? name : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
    }
}
