namespace KestrelStream.Sessions;

/// <summary>Something with one deadline on a <see cref="TimerWheel"/>. The links belong to the wheel.</summary>
internal abstract class TimerNode
{
    internal TimerNode? Previous;
    internal TimerNode? Next;

    /// <summary>Tick at which it is due; negative = on no wheel.</summary>
    internal long DueTick = -1;

    /// <summary>The deadline has come. The node is off the wheel; it may be scheduled again from here.</summary>
    public abstract void OnDue(long nowMilliseconds);
}
