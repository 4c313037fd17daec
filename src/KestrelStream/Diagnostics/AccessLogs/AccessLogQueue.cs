using System.Collections.Concurrent;

namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>
/// Records that wait for the log's thread, up to a number. Any number of sessions add, one thread takes. Nothing of it runs on the thread pool: a pool
/// that is busy or blocked must not hold up the log.
/// </summary>
internal sealed class AccessLogQueue(int capacity) : IDisposable
{
    private readonly ConcurrentQueue<AccessLogRecord> _records = new();
    private readonly ManualResetEventSlim _wake = new();
    private int _count;
    private int _isWaiting;
    private volatile bool _isCompleted;

    /// <summary>Nothing comes any more, and nothing is on its way.</summary>
    public bool IsOver => _isCompleted && Volatile.Read(ref _count) == 0;

    /// <summary>False = it is full or completed.</summary>
    public bool TryAdd(AccessLogRecord record)
    {
        // Counted first: who finds nothing counted after the completion knows that nobody will add.
        if (Interlocked.Increment(ref _count) > capacity || _isCompleted)
        {
            Interlocked.Decrement(ref _count);
            return false;
        }

        _records.Enqueue(record);
        Wake();
        return true;
    }

    public bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out AccessLogRecord? record)
    {
        if (!_records.TryDequeue(out record))
        {
            return false;
        }

        Interlocked.Decrement(ref _count);
        return true;
    }

    /// <summary>Waits for a record, the completion, or a <see cref="Wake"/>.</summary>
    public void Wait()
    {
        _wake.Reset();
        Interlocked.Exchange(ref _isWaiting, 1);
        if (Volatile.Read(ref _count) == 0 && !_isCompleted)
        {
            _wake.Wait();
        }

        Volatile.Write(ref _isWaiting, 0);
    }

    public void Wake()
    {
        if (Volatile.Read(ref _isWaiting) != 0 && Interlocked.Exchange(ref _isWaiting, 0) != 0)
        {
            _wake.Set();
        }
    }

    /// <summary>No more records; those that are there can be taken.</summary>
    public void Complete()
    {
        _isCompleted = true;
        Interlocked.MemoryBarrier();
        _wake.Set();
    }

    public void Dispose() => _wake.Dispose();
}
