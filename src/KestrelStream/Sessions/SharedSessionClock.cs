namespace KestrelStream.Sessions;

/// <summary>The clock of sessions that run on the thread pool: one timer and one wheel behind a lock that is held for a few instructions. Thread-safe.</summary>
internal sealed class SharedSessionClock : SessionClock, IDisposable
{
    private readonly Lock _lock = new();
    private readonly TimerWheel _wheel = new();
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly ITimer _timer;
    private long _now;

    public SharedSessionClock(TimeProvider time)
    {
        _time = time;
        _start = time.GetTimestamp();
        var tick = TimeSpan.FromMilliseconds(TimerWheel.TickMilliseconds);
        _timer = time.CreateTimer(static state => ((SharedSessionClock)state!).Tick(), this, tick, tick);
    }

    public override long Now => Volatile.Read(ref _now);

    public override void Schedule(TimerNode node, long dueMilliseconds)
    {
        lock (_lock)
        {
            _wheel.Schedule(node, dueMilliseconds);
        }
    }

    public override void Cancel(TimerNode node)
    {
        lock (_lock)
        {
            _wheel.Cancel(node);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Tick()
    {
        var now = (long)_time.GetElapsedTime(_start).TotalMilliseconds;
        TimerNode? due;
        lock (_lock)
        {
            Volatile.Write(ref _now, now);
            due = _wheel.Advance(now);
        }

        // Outside the lock: a due session closes sockets and may be scheduled again.
        while (due is not null)
        {
            var next = due.Next;
            due.Next = null;
            due.OnDue(now);
            due = next;
        }
    }
}
