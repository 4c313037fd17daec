namespace KestrelStream.Model;

/// <content>Sessions that wait for a slot.</content>
internal sealed partial class ClusterState
{
    /// <summary>Made when the first session has to wait.</summary>
    private SessionQueue? _queue;

    /// <summary>Sessions that wait now.</summary>
    public int QueueLength => Volatile.Read(ref _queue)?.Count ?? 0;

    /// <summary>Somebody waits: who comes now waits behind.</summary>
    public bool IsQueueing => QueueLength > 0 && _selection.Model.Config.Queue is { MaxLength: > 0 };

    /// <summary>A place for a session that found nobody with room.</summary>
    /// <param name="attempts">As they were before it looked.</param>
    /// <param name="isFull">There is a queue, and no room in it.</param>
    /// <returns>Null = none: there is no queue, it is full, or nobody could become free for this session.</returns>
    public QueuedSession? TryQueue(in DialAttempts attempts, out bool isFull)
    {
        isFull = false;
        if (_selection.Model.Config.Queue is not { MaxLength: > 0 } config || !(IsQueueing || MayBecomeFree(attempts)))
        {
            return null;
        }

        var queue = Volatile.Read(ref _queue) ?? Interlocked.CompareExchange(ref _queue, new SessionQueue(this), null) ?? _queue;
        var place = queue.Enter(attempts, config.MaxLength, config.Timeout);
        isFull = place is null;
        return place;
    }

    /// <summary>Whether some destination would take the session if it were not full.</summary>
    public bool MayBecomeFree(in DialAttempts attempts)
    {
        var selection = _selection;
        var tried = attempts;
        tried.Follow(selection.TierOf(attempts));
        if (selection.TierOf(attempts).HasFull(tried))
        {
            return true;
        }

        for (var tier = attempts.Tier + 1; tier < selection.Tiers.Length; tier++)
        {
            if (selection.Tiers[tier].HasFull(default))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Not under the cluster's lock.</summary>
    private void ServeQueue()
    {
        if (Volatile.Read(ref _queue) is { Count: > 0 } queue)
        {
            queue.Serve();
        }
    }
}
