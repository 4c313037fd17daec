using System.Runtime.CompilerServices;

namespace KestrelStream.Limits;

/// <summary>
/// What is on account of every client of every listener and route with limits by client. Bounded; who has nothing on account is forgotten. Thread-safe: each
/// stripe has a lock, which is held for some 50 ns (docs/decisions/0012).
/// </summary>
internal sealed class ClientTable : IDisposable
{
    public const int StripeBits = 8;

    private const int Stripes = 1 << StripeBits;

    /// <summary>All stripes in half a minute; each keeps its lock for the time of looking at its clients, 30 µs with a million in all.</summary>
    private const int StripesPerSweep = 8;

    private static readonly TimeSpan s_sweepInterval = TimeSpan.FromSeconds(1);

    private readonly ClientStripe[] _stripes = new ClientStripe[Stripes];
    private readonly TimeProvider _time;
    private readonly ITimer _sweeper;
    private int _maxPerStripe = 1_000_000 / Stripes;
    private int _nextSweep;
    private int _isSweeping;

    public ClientTable(TimeProvider time)
    {
        _time = time;
        for (var i = 0; i < Stripes; i++)
        {
            _stripes[i] = new ClientStripe();
        }

        _sweeper = time.CreateTimer(static table => ((ClientTable)table!).SweepSome(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Most clients at once; how they are spread over the stripes makes it a little less.</summary>
    public int MaxClients
    {
        get => _maxPerStripe * Stripes;
        set => Volatile.Write(ref _maxPerStripe, Math.Max(1, value / Stripes));
    }

    /// <summary>Clients that have something on account, and some that have not been forgotten yet.</summary>
    public int Count => _stripes.Sum(stripe => stripe.Count);

    /// <summary>Counts a session in until <see cref="Leave"/>; one that has to wait is counted in as well.</summary>
    public LimitVerdict Enter(in ClientKey key, ClientLimits limits, long now)
    {
        var hash = key.GetHashCode();
        var stripe = _stripes[hash & (Stripes - 1)];
        lock (stripe)
        {
            ref var client = ref stripe.Find(key, hash, _maxPerStripe, now);
            if (Unsafe.IsNullRef(ref client))
            {
                return LimitVerdict.Refused(LimitKind.Clients);
            }

            if (client.Sessions >= limits.MaxSessions)
            {
                return LimitVerdict.Refused(LimitKind.ClientSessions);
            }

            var wait = TimeSpan.Zero;
            if (limits.Sessions.IsSet)
            {
                if (!limits.Sessions.Allows(client.SessionsFull, now, out var next, out wait))
                {
                    return LimitVerdict.Refused(LimitKind.ClientSessionRate);
                }

                client.SessionsFull = next;
            }

            client.Sessions++;
            StartSweeping();
            return LimitVerdict.After(wait, LimitKind.ClientSessionRate);
        }
    }

    public void Leave(in ClientKey key)
    {
        var hash = key.GetHashCode();
        var stripe = _stripes[hash & (Stripes - 1)];
        lock (stripe)
        {
            // Who has a session is never forgotten.
            stripe.TryFind(key, hash).Sessions--;
        }
    }

    /// <summary>Of a client that has a session.</summary>
    public LimitVerdict TakeHandshake(in ClientKey key, ClientLimits limits, long now)
    {
        var hash = key.GetHashCode();
        var stripe = _stripes[hash & (Stripes - 1)];
        lock (stripe)
        {
            ref var client = ref stripe.TryFind(key, hash);
            if (!limits.Handshakes.Allows(client.HandshakesFull, now, out var next, out var wait))
            {
                return LimitVerdict.Refused(LimitKind.ClientHandshakeRate);
            }

            client.HandshakesFull = next;
            return LimitVerdict.After(wait, LimitKind.ClientHandshakeRate);
        }
    }

    public void Dispose() => _sweeper.Dispose();

    private void StartSweeping()
    {
        if (Volatile.Read(ref _isSweeping) == 0 && Interlocked.Exchange(ref _isSweeping, 1) == 0)
        {
            _sweeper.Change(s_sweepInterval, s_sweepInterval);
        }
    }

    private void SweepSome()
    {
        var now = _time.GetTimestamp();
        for (var i = 0; i < StripesPerSweep; i++)
        {
            var stripe = _stripes[_nextSweep++ & (Stripes - 1)];
            lock (stripe)
            {
                stripe.Sweep(now);
            }
        }

        if ((_nextSweep & (Stripes - 1)) == 0 && Count == 0)
        {
            // Where there is nobody nobody needs to wake up; one who comes now starts it again.
            _sweeper.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            Volatile.Write(ref _isSweeping, 0);
        }
    }
}
