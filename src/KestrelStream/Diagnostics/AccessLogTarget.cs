namespace KestrelStream.Diagnostics;

/// <summary>Where the lines go: a file that is appended to, or standard output. Opened by the first write and again after each failed one. Not thread-safe.</summary>
/// <param name="path">Full path; <c>-</c> = standard output.</param>
internal sealed class AccessLogTarget(string path) : IDisposable
{
    public const string StandardOutput = "-";

    /// <summary>Client addresses are personal data: not for everybody on the machine.</summary>
    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    private Stream? _stream;

    /// <summary>Writes whole lines, or none of them as far as that can be had.</summary>
    /// <returns>Null, or why it failed.</returns>
    public string? Write(ReadOnlySpan<byte> lines)
    {
        try
        {
            _stream ??= Open();
            if (_stream.CanSeek)
            {
                Append(_stream, lines);
            }
            else
            {
                _stream.Write(lines);
            }

            return null;
        }
        catch (Exception e)
        {
            // Whatever a file system has to say: log lines are lost, nothing else.
            Dispose();
            return e.Message;
        }
    }

    public void Dispose()
    {
        _stream?.Dispose();
        _stream = null;
    }

    /// <remarks>The end is looked up each time: .NET cannot open with O_APPEND, and someone may have cut the file (logrotate's copytruncate).</remarks>
    private static void Append(Stream file, ReadOnlySpan<byte> lines)
    {
        var end = file.Seek(0, SeekOrigin.End);
        try
        {
            file.Write(lines);
        }
        catch (IOException)
        {
            // A full disk takes a part of a line, to which the next one would be joined.
            if (file.Length > end)
            {
                file.SetLength(end);
            }

            throw;
        }
    }

    private Stream Open()
    {
        if (path == StandardOutput)
        {
            return Console.OpenStandardOutput();
        }

        var options = new FileStreamOptions
        {
            Mode = System.IO.FileMode.OpenOrCreate,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = FileMode;
        }

        return new FileStream(path, options);
    }
}
