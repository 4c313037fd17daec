using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using KestrelStream.Configuration;
using KestrelStream.Dialing.Warm;
using KestrelStream.Health;
using KestrelStream.Health.Checks;
using KestrelStream.LoadBalancing;

namespace KestrelStream.Model;

/// <summary>
/// A destination over the reloads and refreshes that keep its id and address: sessions, counters, health. Owned by its
/// <see cref="ClusterState"/>; sessions that run on it keep it after it was removed. Thread-safe.
/// </summary>
internal sealed class DestinationState : IDestination
{
    private const int Unlimited = int.MaxValue;

    private readonly string _addressText;
    private volatile bool _isOut;
    private volatile bool _isUpByChecks = true;
    private volatile CheckReport? _lastCheck;
    private volatile bool _wasReached;
    private volatile DestinationConfig _config;

    /// <summary>Of sessions; 0 = an operator wants none.</summary>
    private int _limit;

    private int _activeSessions;
    private long _totalSessions;
    private long _dialFailures;
    private long _ejections;
    private long _endedBytesIn;
    private long _endedBytesOut;
    private long _failedSessions;
    private int _mostSessions;
    private int _drained;
    private FailureAccount _failures;
    private DialLatency _dialLatency;
    private WarmPool? _warm;

    /// <param name="id">Key in the configuration; of a member that was found by name that key, <c>@</c>, and the address.</param>
    /// <param name="address">Not a name other than localhost.</param>
    /// <param name="config">What the configuration says about it.</param>
    /// <param name="source">By which it was found; null = it is configured by its address.</param>
    /// <param name="hostName">What it is called there.</param>
    public DestinationState(string id, ProxyAddress address, DestinationConfig config, DestinationSource? source = null, string? hostName = null)
    {
        Id = id;
        Address = address;
        Source = source;
        _addressText = address.ToString();
        _config = config;
        _limit = LimitOf(config);
        HostName = hostName;
        EndPoints = address.ToEndPoints();
    }

    public string Id { get; }

    /// <summary>Key in the configuration: the label of metrics, which a network must not be able to make up.</summary>
    public string ConfiguredId => Source?.Id ?? Id;

    /// <summary>Connections made ahead of sessions; null = the cluster asks for none. Written by their keeper.</summary>
    public WarmPool? Warm
    {
        get => Volatile.Read(ref _warm);
        set => Volatile.Write(ref _warm, value);
    }

    public ProxyAddress Address { get; }

    /// <summary>The name by which it was found; null = it is configured by its address.</summary>
    public DestinationSource? Source { get; }

    /// <summary>The name that has this address; null = it is configured by its address.</summary>
    public string? HostName { get; }

    string IDestination.Address => _addressText;

    /// <summary>As the last reload wrote it.</summary>
    public DestinationConfig Config => _config;

    public int Weight => _config.Weight;

    /// <summary>What an operator has said about it.</summary>
    public DestinationControl Control => _config.Control;

    /// <summary>Slots in use: from the pick to the end of the session or of the failed dial.</summary>
    public int ActiveSessions => Volatile.Read(ref _activeSessions);

    /// <summary>Sessions whose dial succeeded.</summary>
    public long TotalSessions => Interlocked.Read(ref _totalSessions);

    public long DialFailures => Interlocked.Read(ref _dialFailures);

    /// <summary>Payload from clients, of sessions that have ended.</summary>
    public long EndedBytesIn => Volatile.Read(ref _endedBytesIn);

    /// <summary>Payload to clients, of sessions that have ended.</summary>
    public long EndedBytesOut => Volatile.Read(ref _endedBytesOut);

    /// <summary>Sessions that the destination has reset, or that ended because it was found dead.</summary>
    public long FailedSessions => Volatile.Read(ref _failedSessions);

    /// <summary>Most sessions at once so far.</summary>
    public int MostSessions => Math.Max(Volatile.Read(ref _mostSessions), ActiveSessions);

    /// <summary>Passive checks have taken it out.</summary>
    public bool IsOut => _isOut;

    /// <summary>Times it was taken out.</summary>
    public long Ejections => Interlocked.Read(ref _ejections);

    /// <summary>When it came back, while its slow start lasts; null = it has its whole weight. Under the cluster's lock.</summary>
    public long? Returned { get; set; }

    public DestinationHealth Health => Control.Health switch
    {
        OperatorHealth.Up => DestinationHealth.Healthy,
        OperatorHealth.Down => DestinationHealth.Unhealthy,
        _ => _isOut || !_isUpByChecks ? DestinationHealth.Unhealthy
            : _wasReached || _lastCheck?.Result == CheckResult.Healthy ? DestinationHealth.Healthy
            : DestinationHealth.Unknown,
    };

    /// <summary>False = active checks have found it down: it gets no session at all. True as well where there are no checks.</summary>
    public bool IsUpByChecks => _isUpByChecks;

    /// <summary>Null = none has ended yet, or there are no active checks.</summary>
    public CheckReport? LastCheck => _lastCheck;

    /// <summary>Where to dial, in this order; more than one for localhost alone. Never changed.</summary>
    public EndPoint[] EndPoints { get; }

    /// <summary>Written under the cluster's lock.</summary>
    public ref FailureAccount Failures => ref _failures;

    /// <summary>Kept only where the policy asks for it.</summary>
    public ref DialLatency DialLatency => ref _dialLatency;

    /// <summary>Under the cluster's lock.</summary>
    public void Configure(DestinationConfig config)
    {
        if (config.Control.State != _config.Control.State)
        {
            Volatile.Write(ref _drained, 0);
        }

        _config = config;

        // A full fence: either who takes a slot now sees this, or TryFinishDrain sees the slot.
        Interlocked.Exchange(ref _limit, LimitOf(config));
    }

    /// <summary>Under the cluster's lock.</summary>
    public void SetOut(bool isOut) => _isOut = isOut;

    /// <summary>Under the cluster's lock, or before anybody else knows the destination.</summary>
    public void SetUpByChecks(bool isUp) => _isUpByChecks = isUp;

    /// <summary>The end of a certificate stays known when a later check does not come to see one. One check at a time.</summary>
    public void SetLastCheck(CheckReport? report)
        => _lastCheck = report is { CertificateExpires: null } && _lastCheck is { } before ? report with { CertificateExpires = before.CertificateExpires } : report;

    /// <summary>Whether <see cref="DestinationConfig.MaxConnections"/> is reached.</summary>
    public bool IsFull => ActiveSessions >= Volatile.Read(ref _limit);

    /// <summary>False when it is full, or an operator wants no sessions there.</summary>
    public bool TryTakeSlot()
    {
        var limit = Volatile.Read(ref _limit);
        if (limit == Unlimited)
        {
            Interlocked.Increment(ref _activeSessions);
            return IsStillOpen();
        }

        var active = Volatile.Read(ref _activeSessions);
        while (active < limit)
        {
            var seen = Interlocked.CompareExchange(ref _activeSessions, active + 1, active);
            if (seen == active)
            {
                return IsStillOpen();
            }

            active = seen;
        }

        return false;
    }

    public void ReturnSlot()
    {
        var left = Interlocked.Decrement(ref _activeSessions);
        Debug.Assert(left >= 0, "A slot was given back twice.");
    }

    /// <summary>True once after an operator has taken it out of service: its last session has ended, and no other one will come.</summary>
    public bool TryFinishDrain()
        => Volatile.Read(ref _limit) == 0
            && Volatile.Read(ref _activeSessions) == 0
            && Control.State != OperatorState.Ready
            && Interlocked.Exchange(ref _drained, 1) == 0;

    public void CountSession()
    {
        Interlocked.Increment(ref _totalSessions);
        if (!_wasReached)
        {
            _wasReached = true;
        }
    }

    /// <summary>A session that it had has ended, and its slot is not given back yet.</summary>
    public void CountEnd(long bytesIn, long bytesOut, bool hasFailed)
    {
        if ((bytesIn | bytesOut) != 0)
        {
            Interlocked.Add(ref _endedBytesIn, bytesIn);
            Interlocked.Add(ref _endedBytesOut, bytesOut);
        }

        if (hasFailed)
        {
            Interlocked.Increment(ref _failedSessions);
        }

        // Whatever the peak was, it stood until somebody left: it need not be looked for when sessions come.
        var active = ActiveSessions;
        if (active > Volatile.Read(ref _mostSessions))
        {
            Volatile.Write(ref _mostSessions, active);
        }
    }

    public void CountEjection() => Interlocked.Increment(ref _ejections);

    public void CountDialFailure() => Interlocked.Increment(ref _dialFailures);

    private static int LimitOf(DestinationConfig config) => config.Control.State != OperatorState.Ready ? 0 : config.MaxConnections ?? Unlimited;

    /// <summary>After a slot was taken: an operator may have been faster. Then it is given back.</summary>
    private bool IsStillOpen()
    {
        if (Volatile.Read(ref _limit) != 0)
        {
            return true;
        }

        ReturnSlot();
        return false;
    }
}
