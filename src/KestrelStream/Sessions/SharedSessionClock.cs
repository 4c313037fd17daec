namespace KestrelStream.Sessions;

/// <summary>The clock of sessions that run on the thread pool: one timer, which runs while there is a deadline, and one wheel behind a lock that is held for a few instructions. Thread-safe.</summary>
internal sealed class SharedSessionClock : SessionClock, IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(TimerWheel.TickMilliseconds);

    private readonly Lock _lock = new();
    private readonly TimerWheel _wheel = new();
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly ITimer _timer;
    private bool _isTicking;
    private long _now;

    public SharedSessionClock(TimeProvider time)
    {
        _time = time;
        _start = time.GetTimestamp();
        _timer = time.CreateTimer(static state => ((SharedSessionClock)state!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public override long Now => Volatile.Read(ref _isTicking) ? Volatile.Read(ref _now) : Read();

    public override void Schedule(TimerNode node, long dueMilliseconds)
    {
        lock (_lock)
        {
            _wheel.Schedule(node, dueMilliseconds);
            if (!_isTicking)
            {
                Volatile.Write(ref _now, Read());
                Volatile.Write(ref _isTicking, true);
                _timer.Change(Interval, Interval);
            }
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

    private long Read() => (long)_time.GetElapsedTime(_start).TotalMilliseconds;

    private void Tick()
    {
        var now = Read();
        TimerNode? due;
        lock (_lock)
        {
            Volatile.Write(ref _now, now);
            due = _wheel.Advance(now);
            if (_wheel.Count == 0)
            {
                // Ten wake-ups of a pool thread a second are not free: where loops carry the sessions nobody needs them.
                Volatile.Write(ref _isTicking, false);
                _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
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
