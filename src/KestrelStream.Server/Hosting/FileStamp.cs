namespace KestrelStream.Server.Hosting;

/// <summary>What tells one version of a file from the next: where its links lead, when it was written, how long it is.</summary>
internal readonly record struct FileStamp(bool Exists, string? Target, DateTime Written, long Length)
{
    public static FileStamp Of(string path)
    {
        try
        {
            // A folder on the way may be the link (Kubernetes' ..data), so ask for the real path of what is opened.
            var file = new FileInfo(path);
            var target = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
            return target.Exists ? new FileStamp(true, target.FullName, target.LastWriteTimeUtc, target.Length) : default;
        }
        catch (IOException)
        {
            return default;
        }
        catch (UnauthorizedAccessException)
        {
            return default;
        }
    }
}
