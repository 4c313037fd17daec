using System.Net;
using KestrelStream.Diagnostics;
using KestrelStream.Model;
using KestrelStream.Transport;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Dialing.Warm;

/// <summary>
/// Keeps connections to destinations ahead of sessions, in clusters that ask for it (<c>WarmConnections</c>). One for the proxy; thread-safe.
/// Costs nothing where no cluster asks.
/// </summary>
internal sealed partial class WarmConnections(DescriptorBudget descriptors, TimeProvider time, ILogger<WarmConnections> logger) : IDisposable
{
    /// <summary>How often dead connections are noticed that nobody takes.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private ClusterState[] _clusters = [];
    private HashSet<WarmPool> _pools = [];
    private IStreamEngine? _engine;
    private ITimer? _timer;
    private bool _isDisposed;

    public long Now => time.GetTimestamp();

    public TimeSpan Elapsed(long from, long to) => time.GetElapsedTime(from, to);

    public long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    /// <summary>Keeps what these clusters say. Called after each commit of clusters; members that change in between are noticed.</summary>
    public void Apply(IEnumerable<ClusterState> clusters, IStreamEngine engine)
    {
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            _engine = engine;
            _clusters = [.. clusters.Where(cluster => cluster.Model.Config.WarmConnections > 0)];
            if (_clusters.Length == 0 && _pools.Count == 0)
            {
                return;
            }

            // A server that spoke first may have been replaced.
            foreach (var pool in _pools.Where(pool => pool.IsUnsuitable).ToArray())
            {
                Drop(pool);
            }
        }

        Sweep();
    }

    /// <summary>Dials what a pool lacks. From any thread; does not wait.</summary>
    public void Fill(WarmPool pool)
    {
        while (pool.NextDial() is { } endPoint && !_isDisposed)
        {
            // Counted like a session, whose place it may take.
            if (!descriptors.TryTake())
            {
                return;
            }

            var environment = _engine!.NextEnvironment();
            if (environment.CreateUpstream(endPoint) is not { } upstream)
            {
                Returned();
                return;
            }

            if (!pool.Begin(upstream))
            {
                upstream.Close();
                Returned();
                return;
            }

            _ = DialAsync(pool, environment, upstream, endPoint);
        }
    }

    /// <summary>A connection is closed, or is a session's, which has a descriptor of its own for it.</summary>
    public void Returned() => descriptors.Return();

    public void ReportSpeaksFirst(DestinationState destination) => LogSpeaksFirst(logger, destination.Id, destination.Address.ToString());

    public void Dispose()
    {
        WarmPool[] pools;
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            _timer?.Dispose();
            pools = [.. _pools];
        }

        Array.ForEach(pools, pool => pool.Close());
    }

    private void Sweep()
    {
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            var seen = new HashSet<WarmPool>();
            foreach (var cluster in _clusters)
            {
                var model = cluster.Model;
                foreach (var destination in model.Destinations)
                {
                    var pool = destination.Warm ??= new WarmPool(destination, this);
                    seen.Add(pool);

                    // What no session would be sent to gets none either.
                    pool.Sweep(destination.Weight > 0 && !destination.IsOut && destination.IsUpByChecks ? model.Config.WarmConnections : 0, model.Config.ConnectTimeout);
                }
            }

            foreach (var pool in _pools.Where(pool => !seen.Contains(pool)))
            {
                Drop(pool);
            }

            _pools = seen;
            _timer ??= time.CreateTimer(static warm => ((WarmConnections)warm!).Sweep(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _timer.Change(seen.Count > 0 ? Interval : Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    private static void Drop(WarmPool pool)
    {
        pool.Destination.Warm = null;
        pool.Close();
    }

    /// <summary>Never throws: what goes wrong is a connection less.</summary>
    private async Task DialAsync(WarmPool pool, SessionEnvironment environment, StreamConnection upstream, EndPoint endPoint)
    {
        ParkedConnection? connection = null;
        var status = ConnectStatus.Failed;
        try
        {
            status = await environment.ConnectAsync(upstream, endPoint);
            if (status == ConnectStatus.Connected)
            {
                await environment.ResumeAsync();
                connection = environment.Park(upstream);
            }
        }
        catch (Exception e)
        {
            LogBroken(logger, e, endPoint);
        }

        if (connection is null)
        {
            upstream.Reset();
            LogFailed(logger, endPoint, status);
        }

        if (!pool.End(upstream, connection))
        {
            connection?.Close();
            Returned();
        }
    }

    [LoggerMessage(EventIds.WarmDialFailed, LogLevel.Debug, "A connection to {EndPoint} could not be made ahead: {Status}")]
    private static partial void LogFailed(ILogger logger, EndPoint endPoint, ConnectStatus status);

    [LoggerMessage(EventIds.WarmDialBroken, LogLevel.Error, "Making a connection to {EndPoint} ahead broke down")]
    private static partial void LogBroken(ILogger logger, Exception exception, EndPoint endPoint);

    [LoggerMessage(EventIds.WarmSpeaksFirst, LogLevel.Warning, "Destination '{Destination}' ({Address}) speaks before its clients do: WarmConnections are of no use for it and are not kept")]
    private static partial void LogSpeaksFirst(ILogger logger, string destination, string address);
}
