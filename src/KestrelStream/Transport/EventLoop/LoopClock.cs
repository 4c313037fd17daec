using KestrelStream.Sessions;

namespace KestrelStream.Transport.EventLoop;

/// <summary>The clock of one loop's sessions: a wheel without a lock, because only the loop's thread turns it. Calls from other threads go there.</summary>
internal sealed class LoopClock(EventLoop loop) : SessionClock
{
    private readonly TimerWheel _wheel = new();
    private readonly long _start = Environment.TickCount64;
    private long _now;
    private long _tick;

    /// <summary>As of the loop's last wake-up.</summary>
    public override long Now => Volatile.Read(ref _now);

    public override void Schedule(TimerNode node, long dueMilliseconds)
    {
        if (loop.IsCurrent)
        {
            _wheel.Schedule(node, dueMilliseconds);
        }
        else
        {
            loop.Post(_ => _wheel.Schedule(node, dueMilliseconds), null);
        }
    }

    public override void Cancel(TimerNode node)
    {
        if (loop.IsCurrent)
        {
            _wheel.Cancel(node);
        }
        else
        {
            loop.Post(n => _wheel.Cancel((TimerNode)n!), node);
        }
    }

    /// <summary>How long the loop may sleep; −1 = until something happens.</summary>
    public int NextTimeout()
        => _wheel.Count == 0 ? -1 : (int)(TimerWheel.TickMilliseconds - _now % TimerWheel.TickMilliseconds);

    /// <summary>Looks at the machine's clock.</summary>
    public void Update() => Volatile.Write(ref _now, Environment.TickCount64 - _start);

    /// <summary>What is due, linked by <see cref="TimerNode.Next"/>; each is to be run before anything else touches the wheel.</summary>
    public TimerNode? TakeDue()
    {
        var tick = _now / TimerWheel.TickMilliseconds;
        if (tick == _tick)
        {
            return null;
        }

        _tick = tick;
        return _wheel.Advance(_now);
    }
}
