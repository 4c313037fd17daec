using System.Net;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Discovery;
using KestrelStream.Model;
using KestrelStream.Sessions;
using KestrelStream.Transport;
using KestrelStream.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Health.Checks;

/// <summary>
/// Makes the active checks of all destinations, on the wheel of the shared clock; a bounded number of them at once. One for the proxy,
/// disposed with it. Thread-safe; one reload at a time.
/// </summary>
internal sealed partial class HealthChecker(
    SocketsEnvironment environment,
    DescriptorBudget descriptors,
    StreamProxyMetrics metrics,
    TimeProvider time,
    ILogger<HealthChecker> logger) : IDisposable
{
    /// <summary>Checks that would start at once are spread over so much time each.</summary>
    private static readonly TimeSpan Spread = TimeSpan.FromMilliseconds(1);

    private static readonly TimeSpan LongestSpread = TimeSpan.FromSeconds(1);

    /// <summary>Each has a descriptor, out of the reserve that accepting leaves.</summary>
    private readonly long _mostRunning = Math.Clamp(descriptors.Reserve / 2, 8, 128);

    private readonly Lock _gate = new();
    private readonly Queue<DestinationCheck> _queue = new();
    private Dictionary<DestinationState, DestinationCheck> _checks = [];
    private Dictionary<(string Cluster, ProxyAddress Address), CheckName> _names = [];
    private IReadOnlyDictionary<string, X509Certificate2Collection> _authorities = new Dictionary<string, X509Certificate2Collection>();
    private bool _isDisposed;
    private long _running;

    public SessionClock Clock => environment.Clock;

    public TimeProvider Time => time;

    /// <summary>
    /// Checks exactly what these clusters say, and follows their members. Called after each commit of clusters. Destinations whose settings
    /// have not changed are not disturbed.
    /// </summary>
    /// <returns>Names that only checks need, to be looked up.</returns>
    public IReadOnlyList<(INameSubscriber Name, ProxyAddress Address, TimeSpan Refresh)> Apply(
        IReadOnlyCollection<ClusterState> clusters, IReadOnlyDictionary<string, X509Certificate2Collection> authorities)
    {
        foreach (var cluster in clusters)
        {
            cluster.MembersChanged = Update;
        }

        var names = new Dictionary<(string Cluster, ProxyAddress Address), CheckName>();
        var lookups = new List<(INameSubscriber Name, ProxyAddress Address, TimeSpan Refresh)>();
        foreach (var cluster in clusters)
        {
            foreach (var (address, destinationId) in NamesOf(cluster.Model.Config))
            {
                var key = (cluster.Id, address);
                if (!names.ContainsKey(key))
                {
                    names[key] = _names.GetValueOrDefault(key) ?? new CheckName(cluster.Id, destinationId, address);
                    lookups.Add((names[key], address, cluster.Model.Config.DnsRefresh));
                }
            }
        }

        lock (_gate)
        {
            _names = names;
            _authorities = authorities;
        }

        Update(clusters, cluster => true);
        return lookups;
    }

    /// <summary>A cluster has other members.</summary>
    private void Update(ClusterState cluster) => Update([cluster], of => of == cluster);

    /// <param name="clusters">Whose members are to be checked as their models say.</param>
    /// <param name="isReplaced">Whose checks end if these clusters do not have them.</param>
    private void Update(IReadOnlyCollection<ClusterState> clusters, Func<ClusterState, bool> isReplaced)
    {
        var added = new List<DestinationCheck>();
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            var next = _checks.Where(check => !isReplaced(check.Value.Cluster)).ToDictionary();
            foreach (var cluster in clusters)
            {
                if (cluster.Model.Config.HealthCheck?.Active is { Enabled: true } config)
                {
                    AddChecks(cluster, config, _authorities.GetValueOrDefault(cluster.Id), next, added);
                }
            }

            foreach (var (destination, check) in _checks)
            {
                if (next.GetValueOrDefault(destination) == check)
                {
                    continue;
                }

                check.Stop();
                if (!next.ContainsKey(destination) && !IsPaused(check.Cluster, destination))
                {
                    // Nobody would ever say again that it is up.
                    destination.SetLastCheck(null);
                    check.Cluster.SetUpByChecks(destination, isUp: true);
                }
            }

            _checks = next;
        }

        var spread = added.Count * Spread < LongestSpread ? added.Count * Spread : LongestSpread;
        for (var i = 0; i < added.Count; i++)
        {
            added[i].Start(spread * i / added.Count);
        }
    }

    /// <summary>A check is due: runs it, or has it wait for one that ends.</summary>
    public void Enqueue(DestinationCheck check)
    {
        lock (_gate)
        {
            if (_running >= _mostRunning)
            {
                _queue.Enqueue(check);
                return;
            }

            _running++;
        }

        _ = RunAsync(check);
    }

    /// <summary>Null when this process is out of descriptors.</summary>
    public SocketConnection? CreateSocket(EndPoint endPoint) => (SocketConnection?)environment.CreateUpstream(endPoint);

    /// <summary>A check has ended.</summary>
    public void Report(DestinationCheck check, CheckReport report)
    {
        metrics.HealthCheckEnded(check.Cluster.Id, check.Destination.ConfiguredId, report.Result);
        Log.Checked(logger, check.Cluster.Id, check.Destination.Id, report.Result, report.Elapsed.TotalMilliseconds, report.Detail);
    }

    public void LogUp(DestinationCheck check, int checks, CheckReport report)
        => Log.Up(logger, check.Cluster.Id, check.Destination.Id, check.Settings.Address, check.Settings.Config.Kind, checks, report.Detail);

    public void LogDown(DestinationCheck check, int checks, CheckReport report)
        => Log.Down(logger, check.Cluster.Id, check.Destination.Id, check.Settings.Address, check.Settings.Config.Kind, CheckResults.NameOf(report.Result), checks, report.Detail);

    /// <summary>Says once which names a destination turns out to have no certificate for.</summary>
    public void NoteCoverage(DestinationCheck check, CheckReport report)
    {
        foreach (var name in (report.UncoveredNames ?? []).Except(check.Destination.LastCheck?.UncoveredNames ?? []))
        {
            Log.NotCovered(logger, check.Cluster.Id, check.Destination.Id, check.Settings.Address, name);
        }
    }

    public void LogBroken(DestinationCheck check, Exception exception)
        => Log.Broken(logger, exception, check.Cluster.Id, check.Destination.Id, check.Settings.Config.Kind);

    public void Dispose()
    {
        DestinationCheck[] checks;
        lock (_gate)
        {
            _isDisposed = true;
            checks = [.. _checks.Values];
            _checks = [];
            _queue.Clear();
        }

        Array.ForEach(checks, check => check.Stop());
    }

    private void AddChecks(
        ClusterState cluster,
        ActiveHealthCheckConfig config,
        X509Certificate2Collection? authorities,
        Dictionary<DestinationState, DestinationCheck> next,
        List<DestinationCheck> added)
    {
        var model = cluster.Model;
        for (var i = 0; i < model.Destinations.Length; i++)
        {
            var destination = model.Destinations[i];
            if (destination.Control.State == OperatorState.Maintenance)
            {
                continue;
            }

            var settings = CheckSettings.Create(config, CheckAddress.WithName(config, model.DestinationConfigs[i], destination.HostName), authorities, cluster.PassedNames, model.Config, model.Tls);
            if (!_checks.TryGetValue(destination, out var check) || !check.Settings.IsSame(settings))
            {
                check = new DestinationCheck(this, cluster, destination, settings, _names.GetValueOrDefault((cluster.Id, settings.Address)));
                added.Add(check);
            }

            next.Add(destination, check);
        }
    }

    /// <summary>Where checks go that is not a destination's own address and has to be looked up.</summary>
    private static IEnumerable<(ProxyAddress Address, string DestinationId)> NamesOf(ClusterConfig cluster)
        => cluster.HealthCheck?.Active is not { Enabled: true } check ? [] :
            from destination in cluster.Destinations
            where (destination.Value.Health ?? check.Address) is not null
            let address = CheckAddress.Of(check, destination.Value)
            where address.Kind == ProxyAddressKind.Host
            select (address, destination.Key);

    /// <summary>An operator has its checks pause: what they have said last holds until they go on.</summary>
    private static bool IsPaused(ClusterState cluster, DestinationState destination)
        => destination.Control.State == OperatorState.Maintenance
            && cluster.Model.Config.HealthCheck?.Active is { Enabled: true } && cluster.Model.Destinations.Contains(destination);

    /// <summary>Runs one check and, in its place, those that have waited.</summary>
    private async Task RunAsync(DestinationCheck first)
    {
        for (var check = first; check is not null; check = TakeNext())
        {
            await check.RunAsync();
        }
    }

    private DestinationCheck? TakeNext()
    {
        lock (_gate)
        {
            if (_queue.TryDequeue(out var check))
            {
                return check;
            }

            _running--;
            return null;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.DestinationDown, LogLevel.Warning, "Cluster '{Cluster}': destination '{Destination}' is down: {Kind} check of {Address} failed {Checks} times in a row, last with {Result}: {Detail}")]
        public static partial void Down(ILogger logger, string cluster, string destination, ProxyAddress address, HealthCheckKind kind, string result, int checks, string detail);

        [LoggerMessage(EventIds.DestinationUp, LogLevel.Information, "Cluster '{Cluster}': destination '{Destination}' is up: {Kind} check of {Address} succeeded {Checks} times in a row: {Detail}")]
        public static partial void Up(ILogger logger, string cluster, string destination, ProxyAddress address, HealthCheckKind kind, int checks, string detail);

        [LoggerMessage(EventIds.DestinationChecked, LogLevel.Debug, "Cluster '{Cluster}': check of destination '{Destination}' ended with {Result} after {Milliseconds:F1} ms: {Detail}")]
        public static partial void Checked(ILogger logger, string cluster, string destination, CheckResult result, double milliseconds, string detail);

        [LoggerMessage(EventIds.NameNotCovered, LogLevel.Warning, "Cluster '{Cluster}': destination '{Destination}' ({Address}) has no certificate for {Name}, which a route passes on to it")]
        public static partial void NotCovered(ILogger logger, string cluster, string destination, ProxyAddress address, string name);

        [LoggerMessage(EventIds.CheckFailed, LogLevel.Error, "Cluster '{Cluster}': the {Kind} check of destination '{Destination}' broke down; it counts as failed")]
        public static partial void Broken(ILogger logger, Exception exception, string cluster, string destination, HealthCheckKind kind);
    }
}
