namespace KestrelStream.Preread;

/// <summary>Bytes that all sessions together may hold while their hellos are incomplete. Thread-safe.</summary>
/// <remarks>Each session has its own cap too; this one bounds what many slow ones can pin together: 64 MiB.</remarks>
internal sealed class PrereadBudget(long bytes = 64 * 1024 * 1024)
{
    private long _used;

    public long Used => Volatile.Read(ref _used);

    public bool TryTake(int count)
    {
        if (Interlocked.Add(ref _used, count) <= bytes)
        {
            return true;
        }

        Interlocked.Add(ref _used, -count);
        return false;
    }

    public void Return(int count) => Interlocked.Add(ref _used, -count);
}
