using System.Net;
using KestrelStream.Model;
using KestrelStream.Transport;

namespace KestrelStream.Dialing.Warm;

/// <summary>
/// Connections to one destination that are made before a session needs them. Kept by <see cref="WarmConnections"/>, taken from by sessions;
/// thread-safe.
/// </summary>
/// <remarks>
/// One waits with nothing received and nothing sent, belongs to no loop, and is watched by nobody: whoever takes it asks the kernel first
/// whether its peer is still there. It is given up after a while, so that servers that wait for a first word do not come to hang up.
/// </remarks>
internal sealed class WarmPool(DestinationState destination, WarmConnections owner)
{
    /// <summary>Longest wait of a connection. Half of what nginx, Apache and PostgreSQL give a client to say something (60 s).</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    /// <summary>A connection that its peer ends before this has told something: not so soon again.</summary>
    private static readonly TimeSpan ShortestLife = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly Queue<Waiting> _waiting = new();
    private readonly List<Dial> _dials = [];
    private int _target;
    private TimeSpan _pause;
    private long _nextDial;
    private long _hits;
    private long _misses;

    public DestinationState Destination => destination;

    /// <summary>Connections that wait now.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Sessions that were given one.</summary>
    public long Hits => Interlocked.Read(ref _hits);

    /// <summary>Sessions that found none, and dialled.</summary>
    public long Misses => Interlocked.Read(ref _misses);

    /// <summary>The server has spoken first: what it says is meant for a session that begins now, so none is kept any more until a reload.</summary>
    public bool IsUnsuitable { get; private set; }

    /// <summary>One that lives, the one that has waited longest; null = none.</summary>
    public ParkedConnection? TryTake()
    {
        while (TakeFirst() is { } waiting)
        {
            owner.Returned();
            if (Look(waiting, owner.Now))
            {
                Interlocked.Increment(ref _hits);
                owner.Fill(this);
                return waiting.Connection;
            }
        }

        Interlocked.Increment(ref _misses);
        return null;
    }

    /// <summary>From time to time: lets go who is dead or has waited too long, gives up dials that take too long, and says how many there should be.</summary>
    public void Sweep(int target, TimeSpan connectTimeout)
    {
        var now = owner.Now;
        List<Waiting> all;
        lock (_gate)
        {
            _target = IsUnsuitable ? 0 : target;
            all = [.. _waiting];
            _waiting.Clear();
            foreach (var dial in _dials)
            {
                if (target == 0 || owner.Elapsed(dial.Started, now) > connectTimeout)
                {
                    // Its end comes by itself.
                    dial.Connection.Reset();
                }
            }
        }

        foreach (var waiting in all)
        {
            if (!Look(waiting, now))
            {
                owner.Returned();
                continue;
            }

            var isKept = owner.Elapsed(waiting.Since, now) < LongestWait && destination.EndPoints.Contains(waiting.Connection.RemoteEndPoint);
            lock (_gate)
            {
                isKept = isKept && _waiting.Count < _target;
                if (isKept)
                {
                    _waiting.Enqueue(waiting);
                }
            }

            if (!isKept)
            {
                owner.Returned();
                waiting.Connection.Close();
            }
        }

        owner.Fill(this);
    }

    /// <summary>Lets all go, and takes none any more.</summary>
    public void Close() => Sweep(target: 0, TimeSpan.Zero);

    /// <summary>Where to dial now; null = there are enough, or it is too early after a failure. The caller dials, and says so by <see cref="Begin"/>.</summary>
    public EndPoint? NextDial()
    {
        lock (_gate)
        {
            return _waiting.Count + _dials.Count < _target && owner.Now >= _nextDial && destination.EndPoints is [var first, ..] ? first : null;
        }
    }

    /// <summary>False = meanwhile there are enough.</summary>
    public bool Begin(StreamConnection connection)
    {
        lock (_gate)
        {
            if (_waiting.Count + _dials.Count >= _target)
            {
                return false;
            }

            _dials.Add(new Dial(connection, owner.Now));
            return true;
        }
    }

    /// <summary>A dial has ended.</summary>
    /// <param name="dialled">As given to <see cref="Begin"/>.</param>
    /// <param name="connection">Connected; null = it failed.</param>
    /// <returns>False = the connection is not wanted any more.</returns>
    public bool End(StreamConnection dialled, ParkedConnection? connection)
    {
        lock (_gate)
        {
            _dials.RemoveAll(dial => dial.Connection == dialled);
            if (connection is null)
            {
                Pause();
                return false;
            }

            if (_waiting.Count >= _target)
            {
                return false;
            }

            _waiting.Enqueue(new Waiting(connection, owner.Now));
            return true;
        }
    }

    private Waiting? TakeFirst()
    {
        lock (_gate)
        {
            return _waiting.TryDequeue(out var first) ? first : null;
        }
    }

    /// <summary>Whether one that was taken out of the queue is good; it is closed when it is not.</summary>
    private bool Look(Waiting waiting, long now)
    {
        var state = waiting.Connection.Look();
        if (state == ParkedState.Quiet)
        {
            return true;
        }

        waiting.Connection.Close();
        var isNews = false;
        lock (_gate)
        {
            if (state == ParkedState.HasReceived)
            {
                (isNews, IsUnsuitable, _target) = (!IsUnsuitable, true, 0);
            }
            else if (owner.Elapsed(waiting.Since, now) < ShortestLife)
            {
                Pause();
            }
            else
            {
                _pause = TimeSpan.Zero;
            }
        }

        if (isNews)
        {
            owner.ReportSpeaksFirst(destination);
        }

        return false;
    }

    /// <summary>Under the lock.</summary>
    private void Pause()
    {
        _pause = _pause == TimeSpan.Zero ? TimeSpan.FromSeconds(1) : _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
        _nextDial = owner.Now + owner.Ticks(_pause);
    }

    private sealed record Waiting(ParkedConnection Connection, long Since);

    private readonly record struct Dial(StreamConnection Connection, long Started);
}
