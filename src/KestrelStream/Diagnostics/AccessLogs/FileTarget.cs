using KestrelStream.Configuration;

namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>A file that is appended to, and set aside for a new one when it is large or old enough. Not thread-safe.</summary>
/// <param name="path">Full path.</param>
/// <param name="rotate">When; null = never.</param>
/// <param name="time">For the age.</param>
internal sealed class FileTarget(string path, AccessLogRotateConfig? rotate, TimeProvider time) : AccessLogTarget
{
    /// <summary>Client addresses are personal data: not for everybody on the machine.</summary>
    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    private FileStream? _file;
    private long _turn;
    private string? _warning;

    public override string? TakeWarning()
    {
        var warning = _warning;
        _warning = null;
        return warning;
    }

    public override void Close()
    {
        _file?.Dispose();
        _file = null;
    }

    protected override int WriteLines(ReadOnlySpan<byte> lines, ref string? error)
    {
        _file ??= Open();
        if (rotate is not null && IsToRotate(_file, lines.Length))
        {
            Rotate(rotate.Keep);
            _file ??= Open();
        }

        if (_file.CanSeek)
        {
            Append(_file, lines);
        }
        else
        {
            _file.Write(lines);
        }

        return 0;
    }

    /// <remarks>The end is looked up each time: .NET cannot open with O_APPEND, and someone may have cut the file (logrotate's copytruncate).</remarks>
    private static void Append(FileStream file, ReadOnlySpan<byte> lines)
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

    private FileStream Open()
    {
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

        var file = new FileStream(path, options);
        var isEmpty = !file.CanSeek || file.Length == 0;
        _turn = TurnOf(isEmpty ? time.GetUtcNow() : File.GetLastWriteTimeUtc(path));
        return file;
    }

    /// <summary>Something without a length, as /dev/null, is never set aside.</summary>
    private bool IsToRotate(FileStream file, int more)
        => file.CanSeek && file.Length > 0 && (file.Length + more > rotate!.MaxBytes || TurnOf(time.GetUtcNow()) != _turn);

    private long TurnOf(DateTimeOffset at) => rotate?.Every is { Ticks: > 0 } every ? at.UtcTicks / every.Ticks : 0;

    /// <summary>The oldest goes, each other one becomes one older. What cannot be done is left as it is: a file that grows is better than lines that are lost.</summary>
    private void Rotate(int keep)
    {
        try
        {
            if (keep == 0)
            {
                File.Delete(path);
            }

            for (var number = keep; number > 0; number--)
            {
                var from = number == 1 ? path : $"{path}.{number - 1}";
                if (File.Exists(from))
                {
                    File.Move(from, $"{path}.{number}", overwrite: true);
                }
            }

            Close();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _warning = e.Message;
            _turn = TurnOf(time.GetUtcNow());
        }
    }
}
