namespace KestrelStream.Tls;

/// <summary>
/// Tells two states of a file apart without reading it: which file the path leads to through every symbolic link, its length and the time it was written.
/// Certbot changes the last link of a path, Kubernetes one in the middle; both show in <see cref="Target"/>.
/// </summary>
/// <param name="Target">Where the path leads once every link in it was followed.</param>
/// <param name="Length">In bytes; -1 = no such file, or it cannot be looked at.</param>
/// <param name="WrittenTicks">Last write, UTC ticks.</param>
internal readonly record struct FileFingerprint(string Target, long Length, long WrittenTicks)
{
    // As many as Linux follows before it answers ELOOP.
    private const int MaxLinks = 40;

    public bool IsThere => Length >= 0;

    /// <summary>Never throws: a file that cannot be looked at is a state like any other.</summary>
    /// <param name="path">Absolute.</param>
    public static FileFingerprint Read(string path)
    {
        try
        {
            var target = FollowLinks(path);
            var file = new FileInfo(target);
            return file.Exists ? new FileFingerprint(target, file.Length, file.LastWriteTimeUtc.Ticks) : new FileFingerprint(target, -1, 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new FileFingerprint(path, -1, 0);
        }
    }

    /// <summary>Where a path leads: FileSystemInfo.ResolveLinkTarget follows only links in the last place, and Kubernetes swaps the one before it.</summary>
    /// <exception cref="IOException">Too many links.</exception>
    public static string FollowLinks(string path)
    {
        var resolved = Path.GetPathRoot(path)!;
        var rest = new Stack<string>();
        Push(rest, path[resolved.Length..]);
        for (var links = 0; rest.TryPop(out var name);)
        {
            if (name == "..")
            {
                resolved = Path.GetDirectoryName(resolved) ?? resolved;
                continue;
            }

            var next = Path.Combine(resolved, name);
            if (new FileInfo(next).LinkTarget is not { } link)
            {
                resolved = next;
                continue;
            }

            if (++links > MaxLinks)
            {
                throw new IOException("Too many levels of symbolic links.");
            }

            var root = Path.GetPathRoot(link)!;
            resolved = root.Length > 0 ? root : resolved;
            Push(rest, link[root.Length..]);
        }

        return resolved;

        static void Push(Stack<string> rest, string path)
        {
            var names = path.Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries);
            for (var i = names.Length - 1; i >= 0; i--)
            {
                if (names[i] != ".")
                {
                    rest.Push(names[i]);
                }
            }
        }
    }
}
