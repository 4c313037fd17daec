namespace KestrelStream.Sessions;

/// <summary>The deadlines of the sessions of one environment, and a cheap "now".</summary>
internal abstract class SessionClock
{
    /// <summary>Milliseconds since some start, as of the last tick: up to one tick old, and free to read.</summary>
    public abstract long Now { get; }

    public abstract void Schedule(TimerNode node, long dueMilliseconds);

    public abstract void Cancel(TimerNode node);
}
