namespace KestrelStream.Load.Measuring;

/// <summary>How many idle sessions the limit on open files allows.</summary>
internal static class DescriptorLimit
{
    private const int WantedSessions = 4_000;

    /// <summary>With fewer, what the allocator rounds up to weighs more than a session.</summary>
    private const int LeastSessions = 1_000;

    /// <summary>A proxy holds two sockets a session.</summary>
    private const int DescriptorsPerSession = 2;

    /// <summary>Listeners, logs, runtime files.</summary>
    private const int Reserve = 500;

    /// <summary>4,000, or what fits. Children inherit the limit, which the .NET runtime has raised to the hard one.</summary>
    public static int IdleSessions()
    {
        string line = File.ReadLines("/proc/self/limits").First(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        string soft = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];
        int limit = int.TryParse(soft, out int number) ? number : int.MaxValue;
        int fits = (limit - Reserve) / DescriptorsPerSession;
        return fits >= LeastSessions
            ? Math.Min(WantedSessions, fits)
            : throw new BenchmarkException($"{limit} open files are too few for idle sessions: raise the limit (ulimit -n 20000)");
    }
}
