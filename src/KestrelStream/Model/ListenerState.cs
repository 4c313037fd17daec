using System.Net;

namespace KestrelStream.Model;

/// <summary>A bound address over the reloads that keep it. Thread-safe.</summary>
internal sealed class ListenerState(ListenerModel model)
{
    private volatile ListenerModel _model = model;
    private volatile EndPoint[] _bound = [];
    private int _activeSessions;
    private int _mostSessions;

    public string Id => _model.Id;

    /// <summary>What new sessions use. A reload swaps it; running sessions keep the one they began with.</summary>
    public ListenerModel Model
    {
        get => _model;
        set => _model = value;
    }

    /// <summary>Where it really listens: port 0 is a number here.</summary>
    public IReadOnlyList<EndPoint> Bound => _bound;

    public int ActiveSessions => Volatile.Read(ref _activeSessions);

    /// <summary>Most at once so far.</summary>
    public int MostSessions => Math.Max(Volatile.Read(ref _mostSessions), ActiveSessions);

    public void SetBound(IEnumerable<EndPoint> bound) => _bound = [.. bound];

    /// <summary>
    /// Counts a session in, until <see cref="Leave"/>. False = the listener is full: that session takes no place, not even
    /// while it is closed, so that refused clients never keep out one that would have been admitted.
    /// </summary>
    public bool TryEnter()
    {
        var limit = _model.Config.MaxConnections ?? int.MaxValue;
        var active = Volatile.Read(ref _activeSessions);
        while (active < limit)
        {
            var seen = Interlocked.CompareExchange(ref _activeSessions, active + 1, active);
            if (seen == active)
            {
                return true;
            }

            active = seen;
        }

        return false;
    }

    public void Leave()
    {
        // Every peak stands until somebody leaves.
        var active = Interlocked.Decrement(ref _activeSessions) + 1;
        if (active > Volatile.Read(ref _mostSessions))
        {
            Volatile.Write(ref _mostSessions, active);
        }
    }
}
