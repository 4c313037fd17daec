namespace KestrelStream.Tests.Tls;

/// <summary>A clock that stands still, and one-shot timers that go off when a test says so. Not thread-safe.</summary>
internal sealed class WatchClock : TimeProvider
{
    private readonly List<OneShot> _timers = [];
    private DateTimeOffset _now = DateTimeOffset.UtcNow;

    public override DateTimeOffset GetUtcNow() => _now;

    public override long GetTimestamp() => _now.UtcTicks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public void Advance(TimeSpan time) => _now += time;

    /// <summary>Lets the next due timer go off, at its time.</summary>
    public void FireNext()
    {
        var timer = _timers.Where(timer => timer.Due is not null).MinBy(timer => timer.Due) ?? throw new InvalidOperationException("No timer is armed.");
        _now = timer.Due!.Value > _now ? timer.Due.Value : _now;
        timer.Fire();
    }

    public bool IsArmed => _timers.Any(timer => timer.Due is not null);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new OneShot(this, () => callback(state));
        timer.Change(dueTime, period);
        _timers.Add(timer);
        return timer;
    }

    private sealed class OneShot(WatchClock clock, Action callback) : ITimer
    {
        private bool _isDisposed;

        public DateTimeOffset? Due { get; private set; }

        public void Fire()
        {
            Due = null;
            callback();
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Due = _isDisposed || dueTime == Timeout.InfiniteTimeSpan ? null : clock._now + dueTime;
            return !_isDisposed;
        }

        public void Dispose() => (_isDisposed, Due) = (true, null);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
