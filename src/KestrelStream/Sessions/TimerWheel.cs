namespace KestrelStream.Sessions;

/// <summary>
/// Deadlines at a coarse tick, O(1) to set and to clear, without an object a timer. Deadlines further away than one turn
/// stay in their slot and are passed over until they are due. Not thread-safe: its owner locks or is one thread.
/// </summary>
internal sealed class TimerWheel
{
    public const int TickMilliseconds = 100;

    /// <summary>51 s a turn: an idle timeout of ten minutes is looked at 12 times.</summary>
    private const int Slots = 512;

    private readonly TimerNode?[] _slots = new TimerNode?[Slots];
    private long _tick;

    /// <summary>Nodes on the wheel.</summary>
    public int Count { get; private set; }

    /// <summary>Sets or moves a deadline. Never fires early: a deadline between two ticks waits for the later one.</summary>
    public void Schedule(TimerNode node, long dueMilliseconds)
    {
        if (node.DueTick >= 0)
        {
            Unlink(node);
        }

        var due = Math.Max(_tick + 1, (dueMilliseconds + TickMilliseconds - 1) / TickMilliseconds + 1);
        node.DueTick = due;
        ref var head = ref _slots[due & (Slots - 1)];
        node.Previous = null;
        node.Next = head;
        if (head is not null)
        {
            head.Previous = node;
        }

        head = node;
        Count++;
    }

    public void Cancel(TimerNode node)
    {
        if (node.DueTick >= 0)
        {
            Unlink(node);
        }
    }

    /// <summary>Moves on to <paramref name="nowMilliseconds"/> and gives every node that is due, linked by <see cref="TimerNode.Next"/>.</summary>
    public TimerNode? Advance(long nowMilliseconds)
    {
        var target = nowMilliseconds / TickMilliseconds;
        TimerNode? due = null;

        // After a long pause (a suspended machine) one turn sees every slot.
        var from = Math.Max(_tick + 1, target - Slots + 1);
        for (var tick = from; tick <= target; tick++)
        {
            var node = _slots[tick & (Slots - 1)];
            while (node is not null)
            {
                var next = node.Next;
                if (node.DueTick <= target)
                {
                    Unlink(node);
                    node.Next = due;
                    due = node;
                }

                node = next;
            }
        }

        _tick = Math.Max(_tick, target);
        return due;
    }

    private void Unlink(TimerNode node)
    {
        if (node.Previous is null)
        {
            _slots[node.DueTick & (Slots - 1)] = node.Next;
        }
        else
        {
            node.Previous.Next = node.Next;
        }

        if (node.Next is not null)
        {
            node.Next.Previous = node.Previous;
        }

        node.Previous = node.Next = null;
        node.DueTick = -1;
        Count--;
    }
}
