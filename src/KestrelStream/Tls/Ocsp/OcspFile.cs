using KestrelStream.Configuration;
using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Tls.Ocsp;

/// <summary>Files with OCSP responses in DER. What goes wrong is a value. Thread-safe.</summary>
internal static class OcspFile
{
    /// <summary>One error for each file of a route that cannot be one.</summary>
    /// <param name="path">Of the route's TLS.</param>
    /// <param name="tls">Names them.</param>
    /// <param name="basePath">What relative paths are relative to.</param>
    /// <param name="errors">Gets the errors.</param>
    public static void Check(string path, RouteTlsConfig tls, string basePath, ICollection<ConfigError> errors)
    {
        for (var i = 0; i < (tls.OcspStapling ? tls.OcspFiles.Count : 0); i++)
        {
            var file = tls.OcspFiles[i];
            var whyNot = Read(Path.GetFullPath(file, basePath), out var problem) is { } der ? OpenSslOcsp.WhyNotAnswer(der) : problem;
            if (whyNot is not null)
            {
                errors.Add(new ConfigError($"{path}:OcspFiles:{i}", $"{ErrorText.Quote(file)}: {whyNot}; valid: a file with an OCSP response in DER"));
            }
        }
    }

    /// <summary>Null = it cannot be read.</summary>
    public static byte[]? Read(string path, out string? problem)
    {
        problem = null;
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            var read = new byte[OcspClient.MaxAnswerBytes + 1];
            var count = stream.ReadAtLeast(read, read.Length, throwOnEndOfStream: false);
            problem = count == 0 ? "the file is empty" : count == read.Length ? $"the file has more than {OcspClient.MaxAnswerBytes} bytes" : null;
            return problem is null ? read[..count] : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            problem = "the file does not exist";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            problem = e.Message;
        }

        return null;
    }
}
