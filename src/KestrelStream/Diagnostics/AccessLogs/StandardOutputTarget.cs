namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>Standard output. Not thread-safe.</summary>
internal sealed class StandardOutputTarget : AccessLogTarget
{
    private Stream? _stream;

    public override void Close()
    {
        _stream?.Dispose();
        _stream = null;
    }

    protected override int WriteLines(ReadOnlySpan<byte> lines, ref string? error)
    {
        _stream ??= Console.OpenStandardOutput();
        _stream.Write(lines);
        return 0;
    }
}
