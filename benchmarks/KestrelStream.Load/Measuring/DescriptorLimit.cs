namespace KestrelStream.Load.Measuring;

/// <summary>How many sessions at once the limit on open files allows.</summary>
internal static class DescriptorLimit
{
    public const int WantedIdle = 4_000;

    /// <summary>What fits into 20,000 open files, the limit of many a container, with room for what a proxy opens besides.</summary>
    public const int WantedMany = 9_500;

    /// <summary>With fewer, what the allocator rounds up to weighs more than a session.</summary>
    private const int LeastSessions = 1_000;

    /// <summary>A proxy holds two sockets a session.</summary>
    private const int DescriptorsPerSession = 2;

    /// <summary>Listeners, logs, runtime files.</summary>
    private const int Reserve = 500;

    /// <summary>As many as wanted, or what fits. Children inherit the limit, which the .NET runtime has raised to the hard one.</summary>
    public static int Sessions(int wanted)
    {
        string line = File.ReadLines("/proc/self/limits").First(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        string soft = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];
        int limit = int.TryParse(soft, out int number) ? number : int.MaxValue;
        int fits = (limit - Reserve) / DescriptorsPerSession;
        return fits >= LeastSessions
            ? Math.Min(wanted, fits)
            : throw new BenchmarkException($"{limit} open files are too few for this many sessions: raise the limit (ulimit -n 20000)");
    }
}
