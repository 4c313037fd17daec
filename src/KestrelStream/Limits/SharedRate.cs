namespace KestrelStream.Limits;

/// <summary>One bucket for everybody. Thread-safe without a lock.</summary>
internal sealed class SharedRate
{
    private long _full = long.MinValue;

    public bool TryTake(in RateLimit limit, long now, out TimeSpan wait)
    {
        while (true)
        {
            var full = Volatile.Read(ref _full);
            if (!limit.Allows(full, now, out var next, out wait))
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref _full, next, full) == full)
            {
                return true;
            }
        }
    }
}
