namespace KestrelStream.Load.Client;

/// <summary>Counts what went wrong and keeps the first explanation. Thread-safe.</summary>
internal sealed class LoadErrors
{
    /// <summary>Enough to void a run and small enough to end it soon.</summary>
    private const int GiveUpAfter = 50;

    private int _count;
    private string? _first;

    public int Count => Volatile.Read(ref _count);

    public string? First => Volatile.Read(ref _first);

    public bool TooMany => Count >= GiveUpAfter;

    public void Add(string reason)
    {
        _ = Interlocked.CompareExchange(ref _first, reason, null);
        _ = Interlocked.Increment(ref _count);
    }
}
