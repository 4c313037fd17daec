namespace KestrelStream.Preread;

/// <summary>Bytes that all sessions together may hold while their hellos are incomplete. Thread-safe.</summary>
/// <remarks>Each session has its own cap too; this one bounds what many slow ones can pin together.</remarks>
internal sealed class PrereadBudget(long bytes = 64 * 1024 * 1024)
{
    private long _bytes = bytes;
    private long _used;

    /// <summary>A reload may change it; what is held already stays.</summary>
    public long Bytes
    {
        get => Volatile.Read(ref _bytes);
        set => Volatile.Write(ref _bytes, value);
    }

    public long Used => Volatile.Read(ref _used);

    public bool TryTake(int count)
    {
        if (Interlocked.Add(ref _used, count) <= Bytes)
        {
            return true;
        }

        Interlocked.Add(ref _used, -count);
        return false;
    }

    public void Return(int count) => Interlocked.Add(ref _used, -count);
}
