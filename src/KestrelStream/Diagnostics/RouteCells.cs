using KestrelStream.Sessions;

namespace KestrelStream.Diagnostics;

/// <summary>What is counted of one route on one listener, over all generations. Thread-safe.</summary>
/// <param name="listener">Where its sessions were accepted.</param>
/// <param name="route">Id; empty = sessions that ended without a route.</param>
/// <param name="cluster">Id; empty = the route has none.</param>
/// <param name="dials">Of the cluster, shared by every route to it.</param>
internal sealed class RouteCells(ListenerCells listener, string route, string cluster, HistogramCells dials)
{
    // No padding: whoever ends a session writes one of these and the listener's cells at once, and nothing else is near.
    private readonly long[] _endReasons = new long[SessionEndReasons.Count];
    private readonly SeriesLabels?[] _labels = new SeriesLabels?[SessionEndReasons.Count];
    private long _endedBytesIn;
    private long _endedBytesOut;

    public ListenerCells Listener { get; } = listener;

    public string Route { get; } = route;

    public string Cluster { get; } = cluster;

    public HistogramCells Dials { get; } = dials;

    /// <summary>Of ended sessions, as <see cref="ListenerCells.EndedBytesIn"/>.</summary>
    public long EndedBytesIn => Volatile.Read(ref _endedBytesIn);

    /// <summary>Of ended sessions, as <see cref="ListenerCells.EndedBytesOut"/>.</summary>
    public long EndedBytesOut => Volatile.Read(ref _endedBytesOut);

    public void CountBytes(long bytesIn, long bytesOut)
    {
        if ((bytesIn | bytesOut) != 0)
        {
            Interlocked.Add(ref _endedBytesIn, bytesIn);
            Interlocked.Add(ref _endedBytesOut, bytesOut);
        }
    }

    public void CountEnd(SessionEndReason reason) => Interlocked.Increment(ref _endReasons[(int)reason]);

    public long Ended(SessionEndReason reason) => Volatile.Read(ref _endReasons[(int)reason]);

    /// <summary>Of the series of one reason; made when it is first shown, as most never are.</summary>
    public SeriesLabels LabelsOf(SessionEndReason reason)
        => _labels[(int)reason] ??= new SeriesLabels(
            new("listener", Listener.Id), new("route", Route), new("cluster", Cluster), new("end_reason", SessionEndReasons.NameOf(reason)));

    /// <summary>Of any reason.</summary>
    public long Ended()
    {
        var ended = 0L;
        for (var reason = 0; reason < _endReasons.Length; reason++)
        {
            ended += Ended((SessionEndReason)reason);
        }

        return ended;
    }
}
