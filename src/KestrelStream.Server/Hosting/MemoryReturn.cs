namespace KestrelStream.Server.Hosting;

/// <summary>
/// Gives back to the system what reading a large configuration has left behind: it would stay resident until the heap has grown as much again,
/// and a proxy that only relays hardly allocates. Thread-safe.
/// </summary>
/// <remarks>
/// The collection stops the process for some milliseconds, more with many sessions: it is done for large files only, and once for reloads that
/// follow each other closely.
/// </remarks>
internal sealed class MemoryReturn : IDisposable
{
    /// <summary>A reload is long over by then.</summary>
    public static readonly TimeSpan After = TimeSpan.FromSeconds(2);

    /// <summary>Left behind by about 4,000 routes.</summary>
    private const long WorthIt = 4 * 1024 * 1024;

    private readonly ITimer _timer;

    public MemoryReturn(TimeProvider time) => _timer = time.CreateTimer(_ => Now(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    public static void Now() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

    /// <summary>Reads, and returns the memory in a while when that took much.</summary>
    public T AfterReading<T>(Func<T> read)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var result = read();
        if (GC.GetAllocatedBytesForCurrentThread() - before >= WorthIt)
        {
            _timer.Change(After, Timeout.InfiniteTimeSpan);
        }

        return result;
    }

    public void Dispose() => _timer.Dispose();
}
