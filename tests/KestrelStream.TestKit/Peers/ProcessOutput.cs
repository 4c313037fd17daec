namespace KestrelStream.TestKit.Peers;

/// <summary>The lines a process has written to one of its streams so far. Thread-safe.</summary>
public sealed class ProcessOutput
{
    private readonly Lock _gate = new();
    private readonly List<string> _lines = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isEnded;

    /// <summary>A copy of what has come so far.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_gate)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>The same as one text.</summary>
    public string Text => string.Join('\n', Lines);

    /// <summary>The first line, from number <paramref name="after"/> on, that the condition holds for.</summary>
    /// <returns>Null when the stream has ended without one.</returns>
    /// <exception cref="TimeoutException">It did not come within <paramref name="within"/>; the message has what came instead.</exception>
    public async Task<string?> WaitForAsync(Func<string, bool> condition, TimeSpan within, int after = 0)
    {
        using var timeout = new CancellationTokenSource(within);
        for (var next = after; ;)
        {
            Task changed;
            lock (_gate)
            {
                for (; next < _lines.Count; next++)
                {
                    if (condition(_lines[next]))
                    {
                        return _lines[next];
                    }
                }

                if (_isEnded)
                {
                    return null;
                }

                changed = _changed.Task;
            }

            try
            {
                await changed.WaitAsync(timeout.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"The awaited line did not come within {within}. What came:\n{Text}");
            }
        }
    }

    internal async Task ReadAsync(StreamReader reader)
    {
        try
        {
            while (await reader.ReadLineAsync() is { } line)
            {
                Add(line);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The process was given up; what it still says does not matter.
        }

        Add(null);
    }

    private void Add(string? line)
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            if (line is null)
            {
                _isEnded = true;
            }
            else
            {
                _lines.Add(line);
            }

            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.SetResult();
    }
}
