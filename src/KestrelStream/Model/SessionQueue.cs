namespace KestrelStream.Model;

/// <summary>
/// Sessions of one cluster that wait for a slot, first come first served. Slots are handed to the first one by whoever gives one back, so
/// that nobody overtakes. Thread-safe.
/// </summary>
/// <remarks>
/// Nothing is missed between "all are full" and the wait: a session is counted before it looks for room once more, and a slot is given back
/// before the count is looked at. Lock order: this one, then the cluster's.
/// </remarks>
internal sealed class SessionQueue(ClusterState cluster)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<QueuedSession> _waiting = new();
    private int _count;

    /// <summary>Sessions that wait now.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Null = it is full.</summary>
    public QueuedSession? Enter(in DialAttempts attempts, int maxLength, TimeSpan timeout)
    {
        lock (_lock)
        {
            if (_waiting.Count >= maxLength)
            {
                ServeLocked();
                if (_waiting.Count >= maxLength)
                {
                    return null;
                }
            }

            // A session whose dial has failed has had its turn already.
            var place = new QueuedSession(this, attempts, timeout);
            _ = attempts.Count > 0 ? _waiting.AddFirst(place) : _waiting.AddLast(place);
            Interlocked.Exchange(ref _count, _waiting.Count);
            ServeLocked();
            return place;
        }
    }

    public void Leave(QueuedSession place)
    {
        lock (_lock)
        {
            if (!_waiting.Remove(place))
            {
                return;
            }

            Volatile.Write(ref _count, _waiting.Count);
            place.Complete(destination: null);

            // The next one may be less particular.
            ServeLocked();
        }
    }

    /// <summary>Something has changed: a slot came back, a destination is up again, a reload.</summary>
    public void Serve()
    {
        lock (_lock)
        {
            ServeLocked();
        }
    }

    private void ServeLocked()
    {
        while (_waiting.First?.Value is { } first)
        {
            DestinationState? destination = null;
            Exception? failure = null;
            try
            {
                // A copy: looking in vain would leave the session with the backups.
                var attempts = first.Attempts;
                destination = cluster.Next(ref attempts);
                if (destination is null && cluster.MayBecomeFree(first.Attempts))
                {
                    return;
                }

                first.Attempts = attempts;
            }
            catch (Exception e)
            {
                // A policy of the app that throws ends the session it was asked for, not the one that gave a slot back.
                failure = e;
            }

            _waiting.RemoveFirst();
            Volatile.Write(ref _count, _waiting.Count);
            if (failure is not null)
            {
                first.Fail(failure);
            }
            else
            {
                first.Complete(destination);
            }
        }
    }
}
