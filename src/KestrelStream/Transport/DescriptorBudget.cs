namespace KestrelStream.Transport;

/// <summary>
/// Counts the file descriptors that sessions use, so that accepting pauses before the process has none left for anything else
/// (log files, certificates, DNS, the admin port). Thread-safe.
/// </summary>
internal sealed class DescriptorBudget
{
    /// <summary>A session takes two: client and upstream. Both are set aside at accept, so that a dial never fails for lack of one.</summary>
    public const int PerSession = 2;

    /// <summary>Set aside for everything else when the limit is ample.</summary>
    private const int LargestReserve = 256;

    /// <summary>
    /// The runtime keeps two descriptors for each assembly, and loads many only when something is first done: about 25 for the first handshake,
    /// the admin port's answers and the stop. It ends the process when it cannot load one.
    /// </summary>
    private const int AssembliesToCome = 64;

    private readonly long _sessions;
    private long _used;

    public DescriptorBudget()
        : this(ReadLimit(), CountOpen() + AssembliesToCome)
    {
    }

    /// <param name="limit">RLIMIT_NOFILE of this process.</param>
    /// <param name="openAtStart">Descriptors that the runtime and the host have open already.</param>
    public DescriptorBudget(long limit, long openAtStart)
    {
        Limit = limit;
        // With a small limit a quarter of what is left is kept, never less than 16: enough to log, resolve and answer /healthz.
        var left = Math.Max(0, limit - openAtStart);
        Reserve = Math.Clamp(left / 4, 16, LargestReserve);
        _sessions = Math.Max(1, (left - Reserve) / PerSession);
    }

    public long Limit { get; }

    public long Reserve { get; }

    /// <summary>Most sessions at once.</summary>
    public long MaxSessions => _sessions;

    public long Sessions => Volatile.Read(ref _used);

    public bool TryTake()
    {
        if (Interlocked.Increment(ref _used) <= _sessions)
        {
            return true;
        }

        Interlocked.Decrement(ref _used);
        return false;
    }

    public void Return() => Interlocked.Decrement(ref _used);

    private static long ReadLimit()
    {
        if (!OperatingSystem.IsLinux())
        {
            return int.MaxValue;
        }

        // "Max open files            1024                 524288               files": soft, then hard. The runtime has raised soft to hard at start.
        foreach (var line in File.ReadLines("/proc/self/limits"))
        {
            if (line.StartsWith("Max open files", StringComparison.Ordinal))
            {
                var soft = line["Max open files".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
                return long.TryParse(soft, out var limit) ? limit : int.MaxValue;
            }
        }

        return int.MaxValue;
    }

    private static long CountOpen()
        => OperatingSystem.IsLinux() ? Directory.EnumerateFileSystemEntries("/proc/self/fd").LongCount() : 0;
}
