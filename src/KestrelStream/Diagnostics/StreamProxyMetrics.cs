using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using KestrelStream.Admin;
using KestrelStream.Dialing;
using KestrelStream.Health.Checks;
using KestrelStream.Limits;
using KestrelStream.Model;
using KestrelStream.Preread;
using KestrelStream.Sessions;
using KestrelStream.Tls;
using KestrelStream.Transport;
using KestrelStream.Transport.EventLoop;

namespace KestrelStream.Diagnostics;

/// <summary>
/// Counts what happens. Sessions write to cells of ours, which cost some nanoseconds whether anyone looks or not; instruments of the meter
/// <c>KestrelStream</c> and the Prometheus text read the same cells. One for the proxy; thread-safe.
/// </summary>
/// <remarks>
/// Labels are ids from the configuration, never what the network says. Series of ids that a reload has removed stay until the end of the
/// process, as counters do everywhere: their last sessions may still run.
/// </remarks>
internal sealed partial class StreamProxyMetrics
{
    private readonly Lock _addListener = new();
    private readonly ConcurrentDictionary<string, HistogramCells> _dials = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Cluster, string Destination), long[]> _dialFailures = new();
    private readonly ConcurrentDictionary<string, HistogramCells> _queues = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Cluster, string Destination), long[]> _healthChecks = new();
    private readonly ConcurrentDictionary<(string Listener, string Route, LimitKind Limit), long[]> _limited = new();
    private readonly HistogramCells _sessionDurations = new(HistogramBounds.Session);
    private readonly HistogramCells _handshakeDurations = new(HistogramBounds.Handshake);
    private readonly Func<string, HistogramCells> _dialsOf;
    private readonly Func<ListenerModel, ListenerCells> _cellsOf;
    private readonly ByteTotals _bytes;
    private readonly LimitRegistry _limits;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<(string Version, string Cipher, bool? IsResumed), long[]> _negotiated = new();
    private readonly long[,] _changes = new long[Enum.GetValues<AdminChange>().Length, Enum.GetValues<ChangeOutcome>().Length];
    private long _reloadsApplied;
    private long _reloadsRejected;
    private long _accessLogDropped;
    private volatile IProxyState? _state;
    private volatile ListenerCells[] _listeners = [];
    private volatile Func<IEnumerable<LoopReading>>? _loops;
    private volatile Func<IEnumerable<HandshakeReading>>? _handshakes;
    private volatile TopNames? _topNames;

    public StreamProxyMetrics(IMeterFactory meters, SessionTable sessions, LimitRegistry limits, TimeProvider time)
    {
        _dialsOf = cluster => _dials.GetOrAdd(cluster, _ => new HistogramCells(HistogramBounds.Dial));
        _cellsOf = CellsOf;
        _bytes = new ByteTotals(sessions);
        _limits = limits;
        _time = time;
        (_sessionDuration, _dialDuration, _handshakeDuration, _upstreamHandshakeDuration, _queueDuration) = CreateInstruments(meters);
    }

    /// <summary>OCSP answers, by certificate.</summary>
    public OcspCells Ocsp { get; } = new("certificate");

    public OcspCells ClientOcsp { get; } = new("route");

    /// <summary>Gives it the proxy whose destinations and certificates are shown. Not in the constructor: the proxy itself counts its reloads here.</summary>
    public void Observe(IProxyState state) => _state = state;

    /// <summary>Gives it the event loops, where there are some.</summary>
    public void ObserveLoops(Func<IEnumerable<LoopReading>> read, Func<IEnumerable<HandshakeReading>> readHandshakes)
    {
        _loops = read;
        _handshakes = readHandshakes;
    }

    /// <summary>Names that get a series of their own from now on; 0 = none. Counts go on when the number stays.</summary>
    public void ShowTopNames(int count)
    {
        if (_topNames?.Series != count)
        {
            _topNames = count == 0 ? null : new TopNames(count);
        }
    }

    public void SessionStarted(StreamSession session) => CellsOf(session.ListenerModel).CountStart();

    /// <summary>After the session has entered <see cref="SessionPhase.Closed"/>: until then its bytes are counted as those of a running one.</summary>
    public void SessionEnded(StreamSession session, TimeSpan duration)
    {
        var cells = CellsOf(session);
        cells.CountEnd(session.EndReason);
        cells.CountBytes(session.BytesIn, session.BytesOut);
        cells.Listener.CountEnd(session.BytesIn, session.BytesOut);
        if (_topNames is { } names && session.ServerName is { } name)
        {
            names.Count(name);
        }

        _sessionDurations.Record(duration);
        if (_sessionDuration.Enabled)
        {
            _sessionDuration.Record(duration.TotalSeconds);
        }
    }

    /// <summary>The first bytes of a session have been looked at.</summary>
    public void PrereadEnded(StreamSession session, PrereadOutcome outcome, bool isRouted)
    {
        var cells = CellsOf(session.ListenerModel);
        cells.CountPreread(PrereadResults.Of(session, outcome, isRouted));
        if (session.Preread is { } preread && preread.Parser.Error is not ClientHelloError.None and var error)
        {
            cells.CountMalformedHello(error);
        }
    }

    /// <summary>A handshake with a client has succeeded.</summary>
    public void TlsNegotiated(TlsFacts facts)
        => Interlocked.Increment(ref _negotiated.GetOrAdd((facts.Version, facts.Cipher, facts.IsResumed), static _ => new long[1])[0]);

    /// <summary>A ClientHello had the extension encrypted_client_hello.</summary>
    public void EchHelloRead(StreamSession session, EncryptedHello type) => CellsOf(session.ListenerModel).CountEchHello(type);

    /// <param name="session">Whose client shook hands.</param>
    /// <param name="result">ok, failed or timeout.</param>
    /// <param name="elapsed">From the end of preread.</param>
    public void HandshakeEnded(StreamSession session, string result, TimeSpan elapsed)
    {
        CellsOf(session.ListenerModel).CountHandshake(result);
        if (result != "ok")
        {
            // How long a handshake takes is asked of those that work; the others last as long as the client or the clock lets them.
            return;
        }

        _handshakeDurations.Record(elapsed);
        if (_handshakeDuration.Enabled)
        {
            _handshakeDuration.Record(elapsed.TotalSeconds);
        }
    }

    /// <param name="session">Whose dial it was.</param>
    /// <param name="attempt">The dial.</param>
    /// <param name="destination">As configured: the attempt's own may have an address in it.</param>
    public void DialEnded(StreamSession session, in DialAttempt attempt, string destination)
    {
        var cells = CellsOf(session);
        if (attempt.Result != ConnectStatus.Connected)
        {
            var failures = _dialFailures.GetOrAdd((cells.Cluster, destination), _ => new long[ConnectStatuses.Count]);
            Interlocked.Increment(ref failures[(int)attempt.Result]);
            return;
        }

        cells.Dials.Record(attempt.Elapsed);
        if (_dialDuration.Enabled)
        {
            _dialDuration.Record(attempt.Elapsed.TotalSeconds, new KeyValuePair<string, object?>("cluster", cells.Cluster));
        }
    }

    /// <summary>A session has waited for a destination with room, and got one or not.</summary>
    public void QueueLeft(StreamSession session, TimeSpan waited)
    {
        var cluster = CellsOf(session).Cluster;
        _queues.GetOrAdd(cluster, _ => new HistogramCells(HistogramBounds.Handshake)).Record(waited);
        if (_queueDuration.Enabled)
        {
            _queueDuration.Record(waited.TotalSeconds, new KeyValuePair<string, object?>("cluster", cluster));
        }
    }

    /// <summary>A session or handshake has met a limit of its listener or its route.</summary>
    public void Limited(StreamSession session, bool isRoute, LimitKind limit, LimitOutcome outcome)
        => Interlocked.Increment(ref _limited.GetOrAdd(
            (session.ListenerModel.Id, isRoute ? session.Route!.Id : "", limit), static _ => new long[LimitOutcomes.Count])[(int)outcome]);

    /// <summary>An active check has ended.</summary>
    public void HealthCheckEnded(string cluster, string destination, CheckResult result)
        => Interlocked.Increment(ref _healthChecks.GetOrAdd((cluster, destination), static _ => new long[CheckResults.Count])[(int)result]);

    public void ConfigReloaded(bool isApplied) => Interlocked.Increment(ref isApplied ? ref _reloadsApplied : ref _reloadsRejected);

    /// <summary>Somebody wanted to change something over the API.</summary>
    public void ChangeRequested(AdminChange change, ChangeOutcome outcome) => Interlocked.Increment(ref _changes[(int)change, (int)outcome]);

    /// <summary>Access log records were lost.</summary>
    public void AccessLogDropped(int records) => Interlocked.Add(ref _accessLogDropped, records);

    private ListenerCells CellsOf(ListenerModel listener)
        => listener.Cells ??= CellsOf(listener.Id);

    private ListenerCells CellsOf(string id)
    {
        lock (_addListener)
        {
            // Whoever reads gets them in the order of ids.
            var place = 0;
            while (place < _listeners.Length && string.CompareOrdinal(_listeners[place].Id, id) < 0)
            {
                place++;
            }

            if (place == _listeners.Length || _listeners[place].Id != id)
            {
                _listeners = [.. _listeners[..place], new ListenerCells(id), .. _listeners[place..]];
            }

            return _listeners[place];
        }
    }

    private RouteCells CellsOf(StreamSession session)
    {
        var listener = CellsOf(session.ListenerModel);
        if (session.Route is not { } route)
        {
            return listener.NoRoute;
        }

        // A route on several listeners finds the cells of another one here now and then, and looks its own up.
        var cells = route.Cells;
        if (cells?.Listener != listener)
        {
            route.Cells = cells = listener.Route(route.Id, route.Cluster?.Id ?? "", _dialsOf);
        }

        return cells;
    }
}
