using System.Collections.Concurrent;

namespace KestrelStream.Tls;

/// <summary>Who may read the file of a private key. Thread-safe.</summary>
internal static class KeyFileAccess
{
    /// <summary>Whether every user of the machine can read a file: it and all the folders above it are open to them.</summary>
    /// <param name="target">Absolute, without links.</param>
    /// <param name="folders">What is known of folders; null = nothing, and nothing is remembered.</param>
    public static bool IsOpenToAll(string target, ConcurrentDictionary<string, bool>? folders = null)
    {
        try
        {
            return !OperatingSystem.IsWindows()
                && (File.GetUnixFileMode(target) & UnixFileMode.OtherRead) != 0
                && MayAllEnter(Path.GetDirectoryName(target), folders);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // It is gone by now.
        }
    }

    private static bool MayAllEnter(string? folder, ConcurrentDictionary<string, bool>? folders)
    {
        if (folder is null || OperatingSystem.IsWindows())
        {
            return true;
        }

        if (folders is not null && folders.TryGetValue(folder, out var known))
        {
            return known;
        }

        var may = (File.GetUnixFileMode(folder) & UnixFileMode.OtherExecute) != 0 && MayAllEnter(Path.GetDirectoryName(folder), folders);
        folders?.TryAdd(folder, may);
        return may;
    }
}
