using KestrelStream.Sessions;

namespace KestrelStream.Diagnostics;

/// <summary>
/// The last connections that came to nothing, by whoever's fault, those apart that the client gave up itself. One for the proxy; thread-safe.
/// Costs other sessions a look at their end reason, and has no memory before the first one that is refused.
/// </summary>
internal sealed class RefusedSessions(TimeProvider time)
{
    /// <summary>How many are remembered.</summary>
    public const int Capacity = 256;

    private readonly Lock _gate = new();
    private RefusedSession[]? _ring;
    private long _count;

    /// <summary>All so far, those that are forgotten too.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>At the end of every session, before its preread bytes are given back.</summary>
    public void Note(StreamSession session)
    {
        if (IsRefusal(session.EndReason))
        {
            Add(session);
        }
    }

    /// <summary>The youngest first.</summary>
    public List<RefusedSession> Read()
    {
        lock (_gate)
        {
            var sessions = new List<RefusedSession>();
            for (var i = _count - 1; i >= 0 && i >= _count - Capacity; i--)
            {
                sessions.Add(_ring![i % Capacity]);
            }

            return sessions;
        }
    }

    /// <summary>The client wanted something, and got nothing. A relay that was cut has its record in the access log.</summary>
    private static bool IsRefusal(SessionEndReason reason)
        => reason is >= SessionEndReason.ConnectionLimit and <= SessionEndReason.UpstreamTlsFailed;

    private void Add(StreamSession session)
    {
        var refused = new RefusedSession
        {
            Id = session.Id,
            Time = time.GetUtcNow(),
            Duration = time.GetElapsedTime(session.StartTimestamp),
            Listener = session.ListenerModel.Id,
            Route = session.Route?.Id,
            Cluster = session.Route?.Cluster?.Id,
            Client = session.ClientEndPoint,
            Peer = session.PeerEndPoint,
            ServerName = session.ServerName,
            Reason = session.EndReason,
            Bytes = session.RefusedBytes ?? RefusedBytes.Of(session),
        };
        lock (_gate)
        {
            _ring ??= new RefusedSession[Capacity];
            _ring[_count++ % Capacity] = refused;
        }
    }
}
