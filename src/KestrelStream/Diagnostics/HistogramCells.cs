namespace KestrelStream.Diagnostics;

/// <summary>Counts of a histogram, one a bucket, and their sum. Thread-safe; recording allocates nothing.</summary>
/// <remarks>There is no cell for the count: it is the sum of the buckets, so that a reader never sees the two disagree.</remarks>
internal sealed class HistogramCells(HistogramBounds bounds)
{
    private readonly long[] _counts = new long[bounds.Seconds.Count + 1];
    private long _sumTicks;

    public HistogramBounds Bounds { get; } = bounds;

    public TimeSpan Sum => TimeSpan.FromTicks(Interlocked.Read(ref _sumTicks));

    public bool IsEmpty => !_counts.AsSpan().ContainsAnyExcept(0);

    public void Record(TimeSpan value)
    {
        Interlocked.Increment(ref _counts[Bounds.BucketOf(value)]);
        Interlocked.Add(ref _sumTicks, value.Ticks);
    }

    /// <summary>Values in one bucket, not in those below it.</summary>
    public long CountIn(int bucket) => Volatile.Read(ref _counts[bucket]);
}
