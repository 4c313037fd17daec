using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using KestrelStream.Configuration;
using KestrelStream.Health;
using KestrelStream.Health.Checks;
using KestrelStream.LoadBalancing;

namespace KestrelStream.Model;

/// <summary>
/// A destination over the reloads that keep its id and address: sessions, counters, health, resolved addresses. Owned by its
/// <see cref="ClusterState"/>; sessions that run on it keep it after a reload has removed it. Thread-safe.
/// </summary>
internal sealed class DestinationState : IDestination
{
    private const int Unlimited = int.MaxValue;

    /// <summary>Null when there is nothing to wait for.</summary>
    private readonly TaskCompletionSource? _firstAnswer;

    private readonly string _addressText;
    private volatile EndPoint[] _endPoints;
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
    private int _drained;
    private FailureAccount _failures;
    private DialLatency _dialLatency;

    public DestinationState(string id, ProxyAddress address, DestinationConfig config)
    {
        Id = id;
        Address = address;
        _addressText = address.ToString();
        _config = config;
        _limit = LimitOf(config);
        _endPoints = address.Kind switch
        {
            ProxyAddressKind.Ip => [new IPEndPoint(address.Ip!, address.Port)],
            ProxyAddressKind.Unix => [new UnixDomainSocketEndPoint(address.Host)],
            _ => [],
        };

        if (NeedsResolution)
        {
            // Sessions wait for it: none of them may run on the thread that looks names up.
            _firstAnswer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public string Id { get; }

    public ProxyAddress Address { get; }

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

    /// <summary>Whether the address is a name that has to be looked up.</summary>
    public bool NeedsResolution => Address.Kind is ProxyAddressKind.Host or ProxyAddressKind.Localhost;

    /// <summary>Where to dial; empty = the name has not been resolved so far. Never changed in place.</summary>
    public EndPoint[] EndPoints => _endPoints;

    /// <summary>Written under the cluster's lock.</summary>
    public ref FailureAccount Failures => ref _failures;

    /// <summary>Kept only where the policy asks for it.</summary>
    public ref DialLatency DialLatency => ref _dialLatency;

    /// <summary>
    /// <see cref="EndPoints"/>, but a session that comes before the first answer waits for it. Empty when the name does not resolve.
    /// </summary>
    /// <exception cref="OperationCanceledException">Cancelled before there was an answer.</exception>
    public ValueTask<EndPoint[]> GetEndPointsAsync(CancellationToken cancellationToken)
    {
        var endPoints = _endPoints;
        return endPoints.Length > 0 || _firstAnswer is null || _firstAnswer.Task.IsCompleted
            ? new ValueTask<EndPoint[]>(endPoints)
            : WaitAsync(_firstAnswer.Task, cancellationToken);

        async ValueTask<EndPoint[]> WaitAsync(Task firstAnswer, CancellationToken token)
        {
            await firstAnswer.WaitAsync(token);
            return _endPoints;
        }
    }

    /// <summary>The name resolved.</summary>
    public void SetEndPoints(EndPoint[] endPoints)
    {
        _endPoints = endPoints;
        EndWaiting();
    }

    /// <summary>The first lookup failed, or nobody is going to look: sessions stop waiting.</summary>
    public void EndWaiting() => _firstAnswer?.TrySetResult();

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
