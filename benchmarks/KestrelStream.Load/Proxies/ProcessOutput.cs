using System.Diagnostics;

namespace KestrelStream.Load.Proxies;

/// <summary>Drains what a proxy prints, keeps the end of it for error messages, and notes when the ready line came. Thread-safe.</summary>
internal sealed class ProcessOutput
{
    private const int KeptLines = 20;

    private readonly Queue<string> _lines = new();
    private readonly string? _readyLine;

    public ProcessOutput(Process process, string? readyLine)
    {
        _readyLine = readyLine;
        process.OutputDataReceived += (_, line) => Add(line.Data);
        process.ErrorDataReceived += (_, line) => Add(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Timestamp of the ready line; null before it, and always for a program that prints none.</summary>
    public long? ReadyAt { get; private set; }

    public bool SawReadyLine
    {
        get
        {
            lock (_lines)
            {
                return _readyLine is null || ReadyAt is not null;
            }
        }
    }

    public string Tail()
    {
        lock (_lines)
        {
            return string.Join('\n', _lines);
        }
    }

    private void Add(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_lines)
        {
            if (_readyLine is not null && ReadyAt is null && line.StartsWith(_readyLine, StringComparison.Ordinal))
            {
                ReadyAt = Stopwatch.GetTimestamp();
            }

            _lines.Enqueue(line);
            if (_lines.Count > KeptLines)
            {
                _ = _lines.Dequeue();
            }
        }
    }
}
