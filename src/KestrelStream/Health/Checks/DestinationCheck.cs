using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Model;
using KestrelStream.Sessions;
using KestrelStream.Transport;
using KestrelStream.Transport.Sockets;

namespace KestrelStream.Health.Checks;

/// <summary>
/// The active checks of one destination under one set of settings: waits for its time, runs a check, counts, says up or down. Made and
/// stopped by the <see cref="HealthChecker"/>. Thread-safe.
/// </summary>
/// <remarks>
/// <code>
///  waiting ──due──▶ queued ──room──▶ running ──result──▶ waiting …
///                                      └─ due: out of time, the connection is reset and the check ends by itself
/// </code>
/// One node on the clock's wheel serves as both the next start and the time limit: a check has no timer and no task while it waits.
/// </remarks>
internal sealed class DestinationCheck : TimerNode
{
    private readonly HealthChecker _checker;
    private readonly CheckName? _name;
    private readonly Lock _gate = new();
    private SocketConnection? _socket;
    private bool _isRunning;
    private bool _isQueued;
    private bool _isStopped;
    private bool _isOutOfTime;
    private long _nextStart;
    private long _deadline;
    private int _good;
    private int _bad;

    /// <param name="checker">Runs it.</param>
    /// <param name="cluster">Hears of the result.</param>
    /// <param name="destination">Is checked.</param>
    /// <param name="settings">How.</param>
    /// <param name="name">Where, if that is a name of its own; null = at the address in the settings.</param>
    public DestinationCheck(HealthChecker checker, ClusterState cluster, DestinationState destination, CheckSettings settings, CheckName? name = null)
    {
        _checker = checker;
        Cluster = cluster;
        Destination = destination;
        Settings = settings;
        _name = name;
    }

    public ClusterState Cluster { get; }

    public DestinationState Destination { get; }

    public CheckSettings Settings { get; }

    /// <summary>The first check comes after a while.</summary>
    public void Start(TimeSpan after)
    {
        lock (_gate)
        {
            _nextStart = _checker.Clock.Now + (long)after.TotalMilliseconds;
            _checker.Clock.Schedule(this, _nextStart);
        }
    }

    /// <summary>No check starts after it, and none that runs has a say.</summary>
    public void Stop()
    {
        SocketConnection? socket;
        lock (_gate)
        {
            _isStopped = true;
            socket = _socket;
            _checker.Clock.Cancel(this);
        }

        socket?.Reset();
    }

    public override void OnDue(long nowMilliseconds)
    {
        SocketConnection? socket;
        bool isStart;
        lock (_gate)
        {
            if (_isStopped || _isQueued)
            {
                return;
            }

            isStart = _isQueued = !_isRunning;
            _isOutOfTime = _isRunning && nowMilliseconds >= _deadline;
            socket = _socket;
        }

        if (isStart)
        {
            _checker.Enqueue(this);
        }

        // While it runs: the time of this address, or of the whole check, is over.
        socket?.Reset();
    }

    /// <summary>Runs one check. Never throws.</summary>
    public async Task RunAsync()
    {
        lock (_gate)
        {
            _isQueued = false;
            if (_isStopped)
            {
                return;
            }

            _isRunning = true;
            _isOutOfTime = false;
            _deadline = _checker.Clock.Now + (long)Settings.Config.Timeout.TotalMilliseconds;
            _checker.Clock.Schedule(this, _deadline);
        }

        var started = _checker.Time.GetTimestamp();
        ProbeConnection? connection = null;
        ProbeResult? result;
        try
        {
            (result, connection) = await ConnectAsync();
            if (connection is not null && result is null)
            {
                result = await Settings.Probe.ProbeAsync(connection);
            }
        }
        catch (Exception e)
        {
            // A defect of a probe. It is this destination's check that has failed, and nobody else's.
            _checker.LogBroken(this, e);
            result = new ProbeResult(CheckResult.Error, e.GetType().Name);
        }

        var elapsed = _checker.Time.GetElapsedTime(started);
        if (result?.Result == CheckResult.Healthy && Settings.Coverage?.NextToAsk() is { } name)
        {
            connection?.Dispose();
            await AskForAsync(name);
        }

        Complete(result, connection, elapsed);
    }

    /// <summary>Another handshake, in what is left of the check's time, which tells nothing but whether there is a certificate for a name.</summary>
    private async ValueTask AskForAsync(string name)
    {
        X509Certificate2? shown = null;
        try
        {
            var (_, connection) = await ConnectAsync();
            if (connection is null)
            {
                return;
            }

            using (connection)
            {
                // Looked at while it lives, which is not longer than the connection.
                var failure = await connection.StartTlsAsync(new ProbeTls(CertificateCoverage.HostOf(name), verify: false, null, certificate => shown = certificate));
                lock (_gate)
                {
                    if (failure is not null && (_isOutOfTime || _isStopped))
                    {
                        return;
                    }
                }

                Settings.Coverage!.NoteAnswer(name, shown);
            }
        }
        catch (Exception e)
        {
            _checker.LogBroken(this, e);
        }
    }

    /// <summary>
    /// The addresses one after another, as a dial would: the first that answers is checked. Each gets its share of the time that is left.
    /// Neither a result nor a connection = it cannot be said: this process is short of something.
    /// </summary>
    private async ValueTask<(ProbeResult? Failure, ProbeConnection? Connection)> ConnectAsync()
    {
        var endPoints = _name is null ? Settings.Address.ToEndPoints() : await _name.GetEndPointsAsync(Settings.Config.Timeout, _checker.Time);
        var problem = "the name does not resolve";
        for (var i = 0; i < endPoints.Length; i++)
        {
            if (_checker.CreateSocket(endPoints[i]) is not { } socket)
            {
                return default;
            }

            if (!TryUse(socket, endPoints.Length - i))
            {
                break;
            }

            var status = await socket.ConnectAsync(endPoints[i]);
            if (status == ConnectStatus.Connected && TryUse(socket, addressesLeft: 1))
            {
                var connection = new ProbeConnection(socket);
                if (!Settings.ProxyHeader.IsEmpty && !await connection.SendAsync(Settings.ProxyHeader))
                {
                    return (new ProbeResult(CheckResult.Connect, "reset before anything was said"), null);
                }

                return (Settings.Tls is null ? null : await connection.StartTlsAsync(Settings.Tls), connection);
            }

            socket.Reset();
            if (status == ConnectStatus.OutOfResources)
            {
                return default;
            }

            problem = status == ConnectStatus.Aborted ? "no connection" : Diagnostics.ConnectStatuses.NameOf(status).Replace('_', ' ');
        }

        return (new ProbeResult(CheckResult.Connect, problem), null);
    }

    /// <summary>Makes the connection the one that is reset when the time is over. False when it is over already.</summary>
    private bool TryUse(SocketConnection socket, int addressesLeft)
    {
        lock (_gate)
        {
            _socket = socket;
            if (!_isStopped && !_isOutOfTime)
            {
                var now = _checker.Clock.Now;
                _checker.Clock.Schedule(this, now + Math.Max(0, _deadline - now) / addressesLeft);
                return true;
            }
        }

        socket.Reset();
        return false;
    }

    private void Complete(ProbeResult? result, ProbeConnection? connection, TimeSpan elapsed)
    {
        CheckReport? report = null;
        lock (_gate)
        {
            if (_isOutOfTime && result?.Result != CheckResult.Healthy)
            {
                result = new ProbeResult(CheckResult.Timeout, TimeoutDetail(connection));
            }

            // A connection that nothing was said on is reset: closing it in order would leave it in TIME_WAIT here, one a check and minute.
            if (result?.Result != CheckResult.Healthy || (Settings.Config.Kind == Configuration.HealthCheckKind.Tcp && Settings.ProxyHeader.IsEmpty))
            {
                _socket?.Reset();
            }

            connection?.Dispose();
            _socket = null;
            _isRunning = false;
            if (_isStopped)
            {
                return;
            }

            if (result is { } found)
            {
                report = new CheckReport(found.Result, found.Detail, elapsed, _checker.Time.GetUtcNow(), connection?.CertificateExpires)
                {
                    UncoveredNames = Settings.Coverage?.Uncovered,
                };
                _checker.NoteCoverage(this, report);
                Destination.SetLastCheck(report);
                Count(report);
            }

            ScheduleNext();
        }

        if (report is not null)
        {
            _checker.Report(this, report);
        }
    }

    /// <summary>Under the lock: a stop that comes meanwhile has the last word.</summary>
    private void Count(CheckReport report)
    {
        var isGood = report.Result == CheckResult.Healthy;
        (_good, _bad) = isGood ? (Math.Min(_good, int.MaxValue - 1) + 1, 0) : (0, Math.Min(_bad, int.MaxValue - 1) + 1);
        if (isGood && !Destination.IsUpByChecks && _good >= Settings.Config.Rise)
        {
            Cluster.SetUpByChecks(Destination, isUp: true);
            _checker.LogUp(this, _good, report);
        }
        else if (!isGood && Destination.IsUpByChecks && _bad >= Settings.Config.Fall)
        {
            Cluster.SetUpByChecks(Destination, isUp: false);
            _checker.LogDown(this, _bad, report);
        }
    }

    private void ScheduleNext()
    {
        var config = Settings.Config;
        var interval = Destination.IsUpByChecks ? config.Interval : config.IntervalWhenDown ?? config.Interval;
        var jitter = config.Jitter / 100.0;
        interval *= 1 - jitter + (2 * jitter * Random.Shared.NextDouble());

        // From start to start, not from end to start; one that lasted longer than its interval is followed by the next at once.
        var now = _checker.Clock.Now;
        _nextStart = Math.Max(now, _nextStart + (long)interval.TotalMilliseconds);
        _checker.Clock.Schedule(this, _nextStart);
    }

    private string TimeoutDetail(ProbeConnection? connection)
    {
        var problem = string.Create(CultureInfo.InvariantCulture, $"{connection?.Waiting ?? "no connection"} within {Settings.Config.Timeout.TotalSeconds:0.###} s");
        return connection is null || connection.Received.IsEmpty ? problem : $"{problem}, only: {EscapedText.Show(connection.Received)}";
    }
}
