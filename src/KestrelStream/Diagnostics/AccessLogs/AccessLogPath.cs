using System.Runtime.InteropServices;

namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>Says of a path whether an access log can go there, without opening or creating anything. Pure but for looking at the file system.</summary>
internal static partial class AccessLogPath
{
    private const int WriteAccess = 2;
    private const int ExecuteAccess = 1;

    /// <summary>Null when it can.</summary>
    public static string? WhyNotWritable(string path)
    {
        if (path == AccessLogTarget.StandardOutput)
        {
            return null;
        }

        if (Directory.Exists(path))
        {
            return "it is a folder";
        }

        if (File.Exists(path))
        {
            return WhyNoAccess(path, WriteAccess);
        }

        var folder = Path.GetDirectoryName(path);
        if (!Directory.Exists(folder))
        {
            return $"the folder {folder} does not exist";
        }

        return WhyNoAccess(folder, WriteAccess | ExecuteAccess) is { } why ? $"the file does not exist, and the folder {folder} does not take a new one: {why}" : null;
    }

    /// <remarks>access(2) rather than a trial: opening a FIFO waits for its reader, and a check must not leave files behind.</remarks>
    private static string? WhyNoAccess(string path, int access)
    {
        if (OperatingSystem.IsWindows() || Access(path, access) == 0)
        {
            return null;
        }

        var error = Marshal.GetLastPInvokeErrorMessage();
        return char.ToLowerInvariant(error[0]) + error[1..];
    }

    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);
}
