using KestrelStream.Configuration;

namespace KestrelStream.Tls.Tickets;

/// <summary>Secrets from files that several proxies share. Looked at by one thread at a time.</summary>
internal sealed class TicketKeyFiles : TicketKeyRing
{
    // The two forms that nginx takes: 16 bytes of a name and two keys, of 16 or 32 bytes each.
    private const int ShortBytes = 48;
    private const int LongBytes = 80;

    private readonly IReadOnlyList<string> _paths;
    private FileFingerprint[] _used;
    private FileFingerprint[] _seen;
    private FileFingerprint[]? _refused;

    /// <param name="paths">Absolute.</param>
    /// <param name="keys">What they hold.</param>
    /// <param name="used">Their state when they were read.</param>
    public TicketKeyFiles(IReadOnlyList<string> paths, TicketKeySet keys, FileFingerprint[] used)
        : base(keys)
    {
        _paths = paths;
        _used = _seen = used;
    }

    /// <summary>Takes what the files hold, if they have changed. False = nothing to say; null <paramref name="problem"/> = they were taken.</summary>
    public bool Look(out string? problem)
    {
        problem = null;
        var now = Fingerprints(_paths);
        var isStill = now.AsSpan().SequenceEqual(_seen);
        _seen = now;

        // Two looks must agree: whoever writes several files needs a moment for it.
        if (!isStill || now.AsSpan().SequenceEqual(_used) || (_refused is not null && now.AsSpan().SequenceEqual(_refused)))
        {
            return false;
        }

        if (Read(_paths, out _, out problem) is not { } keys)
        {
            _refused = now;
            return true;
        }

        (Current, _used, _refused) = (keys, now, null);
        return true;
    }

    public static FileFingerprint[] Fingerprints(IReadOnlyList<string> paths) => [.. paths.Select(FileFingerprint.Read)];

    /// <summary>Null = they are no good.</summary>
    /// <param name="paths">Absolute.</param>
    /// <param name="number">Of the file that is no good.</param>
    /// <param name="problem">Why, with its path.</param>
    public static TicketKeySet? Read(IReadOnlyList<string> paths, out int number, out string? problem)
    {
        var secrets = new List<byte[]>();
        problem = null;
        for (number = 0; number < paths.Count; number++)
        {
            if (Read(paths[number], out var secret) is { } whyNot)
            {
                problem = $"{ErrorText.Quote(paths[number])}: {whyNot}; valid: a file of {ShortBytes} or {LongBytes} random bytes";
                return null;
            }

            secrets.Add(secret);
        }

        return new TicketKeySet(secrets);
    }

    /// <summary>Whether everybody on this machine may read a secret.</summary>
    public static bool IsOpenToAll(string path)
    {
        try
        {
            return !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) != 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string? Read(string path, out byte[] secret)
    {
        secret = [];
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            var read = new byte[LongBytes + 1];
            var count = stream.ReadAtLeast(read, read.Length, throwOnEndOfStream: false);
            if (count is not (ShortBytes or LongBytes))
            {
                return count > LongBytes ? $"it has more than {LongBytes} bytes" : $"it has {count} bytes";
            }

            secret = read[..count];
            return null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return "it does not exist";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return e.Message;
        }
    }
}
