namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>Where the lines go. Opened by the first write and again after each failed one. Not thread-safe.</summary>
internal abstract class AccessLogTarget : IDisposable
{
    public const string StandardOutput = "-";

    /// <summary>Something that the operator should know and that has cost no lines; null = nothing. Reading it takes it.</summary>
    public virtual string? TakeWarning() => null;

    /// <summary>Writes whole lines, or none of them as far as that can be had.</summary>
    /// <param name="lines">One or more, each with its end.</param>
    /// <param name="count">How many they are.</param>
    /// <param name="error">Why some were lost.</param>
    /// <returns>How many were lost.</returns>
    public int Write(ReadOnlySpan<byte> lines, int count, out string? error)
    {
        try
        {
            error = null;
            return WriteLines(lines, ref error);
        }
        catch (Exception e)
        {
            // Whatever a file system or a network has to say: log lines are lost, nothing else.
            Close();
            error = e.Message;
            return count;
        }
    }

    /// <summary>Lets go of what is open; the next write opens it anew.</summary>
    public abstract void Close();

    public void Dispose() => Close();

    /// <summary>Answers how many were lost, with the reason, or throws when all were.</summary>
    protected abstract int WriteLines(ReadOnlySpan<byte> lines, ref string? error);
}
