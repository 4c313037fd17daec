using System.Net;
using KestrelStream.Configuration;
using KestrelStream.Tls;

namespace KestrelStream.Access;

/// <summary>A file of networks, one a line; <c>#</c> begins a comment. Read whole or not at all.</summary>
internal static class NetworkFile
{
    /// <summary>A million networks; beyond this the path leads to something else, perhaps without an end.</summary>
    private const int MaxFileBytes = 64 << 20;

    /// <param name="file">As it is configured.</param>
    /// <param name="basePath">What a relative path is relative to.</param>
    /// <param name="networks">Of the file; empty on error.</param>
    /// <param name="hasUnix">Whether <c>unix:</c> is among them.</param>
    /// <param name="fingerprint">Of what was read.</param>
    /// <returns>What is wrong; null = nothing.</returns>
    public static string? Read(string file, string basePath, out List<IPNetwork> networks, out bool hasUnix, out FileFingerprint fingerprint)
    {
        networks = [];
        hasUnix = false;

        fingerprint = default;
        try
        {
            // Before it is read: a change in between shows as one afterwards.
            var path = Path.GetFullPath(file, basePath);
            fingerprint = FileFingerprint.Read(path);
            if (fingerprint.Length > MaxFileBytes)
            {
                return $"the file has more than {MaxFileBytes} bytes";
            }

            var number = 0;
            foreach (var line in File.ReadLines(path))
            {
                number++;
                var end = line.IndexOf('#', StringComparison.Ordinal);
                var text = (end < 0 ? line : line[..end]).Trim();
                if (NetworkSyntax.IsUnix(text))
                {
                    hasUnix = true;
                }
                else if (NetworkSyntax.TryParse(text, out var network))
                {
                    networks.Add(network);
                }
                else if (text.Length > 0)
                {
                    networks.Clear();
                    return $"line {number}: {ErrorText.Quote(text)} is not a network; valid: {NetworkSyntax.Valid}";
                }
            }

            return null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return "the file does not exist";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            networks.Clear();
            return e.Message;
        }
    }
}
