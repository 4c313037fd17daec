using System.Net;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Dialing.Warm;
using KestrelStream.Discovery;
using KestrelStream.Health.Checks;
using KestrelStream.Model;
using KestrelStream.Sessions;
using KestrelStream.Tls;
using KestrelStream.Tls.Ocsp;
using KestrelStream.Tls.OpenSsl;
using KestrelStream.Tls.Tickets;
using KestrelStream.Transport;
using KestrelStream.Transport.EventLoop;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Management;

/// <summary>
/// Owns what runs: load → validate everything → prepare (certificates, clusters, models, new ports) → commit. Whatever fails before the
/// commit leaves no trace. Start, reload and drain run one at a time; reading is safe from any thread.
/// </summary>
internal sealed partial class StreamProxyManager(
    IStreamProxyConfigProvider provider,
    ConfigurationChecks checks,
    CertificateStore certificates,
    IEnumerable<ICertificateSource> certificateSources,
    TicketKeyStore ticketKeys,
    OcspStapler stapler,
    ClusterRegistry clusters,
    DestinationResolver resolver,
    HealthChecker healthChecker,
    WarmConnections warm,
    EngineSelector engines,
    TlsEngineSelector tlsEngines,
    SessionTable sessions,
    DescriptorBudget descriptors,
    StreamProxyMetrics metrics,
    AccessLog accessLog,
    IServiceProvider services,
    TimeProvider time,
    ILoggerFactory loggers) : IStreamProxy, IProxyState, IAsyncDisposable
{
    /// <summary>A token that is shorter is warned of: it can be guessed.</summary>
    private const int GoodTokenLength = 16;

    private readonly ILogger _logger = loggers.CreateLogger<StreamProxyManager>();
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly CancellationTokenSource _abortSessions = new();
    private volatile ProxySnapshot? _current;
    private volatile bool _isDraining;
    private IReadOnlyDictionary<string, X509Certificate2Collection> _authorities = new Dictionary<string, X509Certificate2Collection>();
    private ListenerSet? _listeners;
    private IStreamEngine? _engine;
    private Lazy<OpenSslLibrary?>? _openSsl;

    public ProxySnapshot? Current => _current;

    public bool IsReady => _current is not null && !_isDraining;

    public bool IsDraining => _isDraining;

    public long Generation => _current?.Generation ?? 0;

    public IReadOnlyList<ListenerState> Listeners => _listeners is { } set ? [.. set.Hosts.Values.Select(host => host.State)] : [];

    public IReadOnlyList<CertificateStatus> Certificates => [.. certificates.States.Values.Select(CertificateStatus.Of)];

    public IReadOnlyList<CertificateIssuance> Issuances => [.. certificateSources.SelectMany(source => source.Issuances)];

    public IReadOnlyDictionary<string, IReadOnlyList<EndPoint>> BoundAddresses
        => Listeners.ToDictionary(state => state.Id, state => state.Bound, StringComparer.OrdinalIgnoreCase);

    /// <exception cref="StreamProxyConfigException">The configuration has mistakes.</exception>
    /// <exception cref="ListenerBindException">An address cannot be bound.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            metrics.Observe(this);
            var read = checks.Validate(provider.GetConfig());
            if (read.Errors.Count > 0)
            {
                throw new StreamProxyConfigException(read.Errors);
            }

            _engine = engines.Select(read.Config);
            Log.Engine(_logger, _engine.Name, descriptors.Limit, descriptors.MaxSessions);
            _openSsl = tlsEngines.Select(read.Config, isOnLoops: _engine is EventLoopEngine);
            _listeners = new ListenerSet(_engine, services);
            var errors = await ApplyAsync(read.Config, cancellationToken);
            if (errors.Count > 0)
            {
                throw new StreamProxyConfigException(errors);
            }

            certificates.WhyNotUsable = (state, entry) => _current!.Routes.Values.Select(route => route.Tls?.WhyNot(state, entry)).FirstOrDefault(why => why is not null);
            certificates.Watch();
        }
        finally
        {
            _gate.Release();
        }
    }

    public async Task<ReloadResult> ReloadAsync(CancellationToken cancellationToken = default)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_current is null || _isDraining)
            {
                return new ReloadResult(false, [new ConfigError("StreamProxy", "the proxy is not running")]);
            }

            var read = checks.Validate(provider.GetConfig());
            var errors = read.Errors.Count > 0 ? read.Errors : await TryApplyAsync(read.Config, cancellationToken);
            ReportReload(errors);
            return new ReloadResult(errors.Count == 0, errors);
        }
        finally
        {
            _gate.Release();
        }
    }

    public ConfigCheckResult Check()
    {
        var read = checks.Validate(provider.GetConfig());
        var errors = new List<ConfigError>(read.Errors);
        var prepared = certificates.Prepare(read.Config.Certificates, provider.BasePath);
        errors.AddRange(prepared.Errors.Select(error => ToConfigError(error, read.Config)));
        var trusts = ClientTrusts.Load(read.Config, provider.BasePath, errors);
        var ticketChange = ticketKeys.Prepare(read.Config, provider.BasePath, errors);
        if (errors.Count == 0 && tlsEngines.WouldSelect(read.Config) is { } openSsl)
        {
            errors.AddRange(RoutePolicies.Compile(read.Config, prepared, new(trusts, ticketChange, stapler, provider.BasePath), certificates, new Lazy<OpenSslLibrary?>(openSsl), _ => null).Errors);
        }

        errors.AddRange(ConfigurationChecks.CheckAddresses(read.Config));
        CheckAuthorities.Load(read.Config, provider.BasePath, errors);
        errors.AddRange(CheckSources(read.Config));
        errors.AddRange(CheckAccessLog(read.Config).Where(error => !read.Errors.Any(known => known.Path == error.Path)));
        return new ConfigCheckResult(errors, [.. CertificateReview.Of(read.Config, prepared, time.GetUtcNow())]);
    }

    public void AbortSessions() => _abortSessions.Cancel();

    /// <summary>Not ready → stop accepting → let sessions finish up to ShutdownTimeout → reset the rest.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        _isDraining = true;
        await _gate.WaitAsync(CancellationToken.None);
        try
        {
            if (_listeners is null)
            {
                return;
            }

            await _listeners.DisposeAsync();
            warm.Dispose();
            var timeout = _current?.Config.ShutdownTimeout ?? TimeSpan.Zero;
            Log.DrainStarted(_logger, sessions.Count, timeout);
            await WaitForSessionsAsync(timeout, cancellationToken);
            var left = sessions.Snapshot();
            left.ForEach(session => session.Abort(SessionEndReason.DrainTimeout));

            // Aborted sessions end within moments; bounded all the same, so that a defect cannot hold the process.
            await WaitForSessionsAsync(TimeSpan.FromSeconds(5), CancellationToken.None, isAborting: true);
            Log.DrainEnded(_logger, left.Count);
        }
        finally
        {
            _gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_listeners is not null && !_isDraining)
        {
            await DrainAsync(new CancellationToken(canceled: true));
        }

        // Its threads run until the last session has ended.
        warm.Dispose();
        (_engine as IDisposable)?.Dispose();
        _abortSessions.Dispose();
        _gate.Dispose();
    }

    private async Task<IReadOnlyList<ConfigError>> TryApplyAsync(StreamProxyConfig config, CancellationToken cancellationToken)
    {
        WarnOfRestart(_config!, config);
        try
        {
            return await ApplyAsync(config, cancellationToken);
        }
        catch (ListenerBindException e)
        {
            return [new ConfigError($"StreamProxy:Listeners:{e.Listener}:Address", e.Message)];
        }
    }

    /// <param name="config">As it was read; what operators have changed comes over it.</param>
    private async Task<IReadOnlyList<ConfigError>> ApplyAsync(StreamProxyConfig config, CancellationToken cancellationToken)
    {
        var overrides = _overrides.Rebase(config, checks.ValidateCluster, out var dropped);
        var effective = overrides.Over(config);
        var certificateChange = certificates.Prepare(effective.Certificates, provider.BasePath);
        List<ConfigError> errors = [.. certificateChange.Errors.Select(error => ToConfigError(error, effective)), .. CheckAccessLog(effective)];
        var authorities = CheckAuthorities.Load(effective, provider.BasePath, errors);
        var trusts = ClientTrusts.Load(effective, provider.BasePath, errors);
        var ticketChange = ticketKeys.Prepare(effective, provider.BasePath, errors);
        errors.AddRange(CheckSources(effective));
        if (errors.Count > 0)
        {
            return errors;
        }

        var policies = RoutePolicies.Compile(config, certificateChange, new(trusts, ticketChange, stapler, provider.BasePath), certificates, _openSsl!, id => _current?.Routes.GetValueOrDefault(id)?.Tls);
        if (policies.Errors.Count > 0)
        {
            return policies.Errors;
        }

        var clusterChange = clusters.Prepare(effective.Clusters);
        var next = SnapshotBuilder.Build(
            effective, Generation + 1, time.GetUtcNow(), clusterChange.Clusters, (id, _) => policies[id]);

        // The last thing that can fail.
        var listenerChange = await _listeners!.PrepareAsync(next.Listeners, cancellationToken);

        certificates.Commit(certificateChange);
        ticketKeys.Commit(ticketChange);
        clusters.Commit(clusterChange);
        var passed = next.Routes.Values.Where(route => route.Cluster is not null && !route.Terminates).ToLookup(route => route.Cluster);
        foreach (var cluster in clusterChange.Clusters.Values)
        {
            cluster.PassedNames = [.. passed[cluster].SelectMany(route => route.Config.Match.Sni)];
        }

        _authorities = authorities;
        stapler.Follow([.. next.Routes.Values.Select(route => route.Tls).OfType<TlsPolicy>()]);
        FollowDestinations(next);
        accessLog.Apply(effective.AccessLog, provider.BasePath);
        if (_config is not null && !ConfigComparison.AreSame(_config, config))
        {
            // The same once more leaves the way back open.
            _configBefore = _config;
        }

        (_config, _overrides) = (config, overrides);
        _current = next;
        await _listeners.CommitAsync(listenerChange, next.Listeners);
        foreach (var source in certificateSources)
        {
            source.Apply(effective, provider.BasePath);
        }

        ReportApplied(next, dropped);
        return [];
    }

    /// <summary>Checks, looks up and keeps connections to exactly the destinations that the clusters have now.</summary>
    private void FollowDestinations(ProxySnapshot snapshot)
    {
        var states = snapshot.Clusters.Values.ToList();
        var checkedNames = healthChecker.Apply(states, _authorities);
        resolver.Apply(states, snapshot.Config.Resolver, checkedNames);
        warm.Apply(states, _engine!);
    }

    private void ReportApplied(ProxySnapshot snapshot, List<(string Cluster, string Destination, string Why)> dropped)
    {
        Log.Applied(_logger, snapshot.Generation, snapshot.Listeners.Count, snapshot.Routes.Count, snapshot.Clusters.Count);
        foreach (var (cluster, destination, why) in dropped)
        {
            Log.ChangeDropped(_logger, cluster, destination, why);
        }

        if (snapshot.Config.Admin?.Token is { Length: < GoodTokenLength })
        {
            Log.WeakToken(_logger, GoodTokenLength);
        }
    }

    private void ReportReload(IReadOnlyList<ConfigError> errors)
    {
        metrics.ConfigReloaded(errors.Count == 0);
        if (errors.Count > 0)
        {
            Log.Rejected(_logger, errors.Count, Generation);
            foreach (var error in errors)
            {
                Log.ConfigError(_logger, error.Path, error.Message);
            }
        }
    }

    private IEnumerable<ConfigError> CheckSources(StreamProxyConfig config) => certificateSources.SelectMany(source => source.Check(config, provider.BasePath));

    private IEnumerable<ConfigError> CheckAccessLog(StreamProxyConfig config)
    {
        if (config.AccessLog is { } log && AccessLog.WhyNotWritable(log, provider.BasePath) is { } why)
        {
            yield return new ConfigError("StreamProxy:AccessLog:Path", $"{ErrorText.Quote(log.Path)}: {why}");
        }
    }

    /// <summary>A certificate's mistake, with the routes that need it.</summary>
    private static ConfigError ToConfigError(CertificateError error, StreamProxyConfig config)
    {
        var routes = config.Routes.Where(r => r.Value.Tls?.Certificates.Contains(error.Id, StringComparer.OrdinalIgnoreCase) ?? false).Select(r => r.Key).ToList();
        var usedBy = routes.Count == 0 ? "" : $" (certificate \"{error.Id}\" of route {string.Join(", ", routes)})";
        return new ConfigError(error.ConfigPath, error.Message + usedBy);
    }

    private void WarnOfRestart(StreamProxyConfig before, StreamProxyConfig after)
    {
        if (before.Engine != after.Engine)
        {
            Log.RestartNeeded(_logger, "StreamProxy:Engine");
        }

        if (before.Tls.Engine != after.Tls.Engine)
        {
            Log.RestartNeeded(_logger, "StreamProxy:Tls:Engine");
        }

        if (before.EventLoops != after.EventLoops)
        {
            Log.RestartNeeded(_logger, "StreamProxy:EventLoops");
        }

        if (before.Admin?.Address != after.Admin?.Address)
        {
            Log.RestartNeeded(_logger, "StreamProxy:Admin:Address");
        }
    }

    private async Task WaitForSessionsAsync(TimeSpan timeout, CancellationToken cancellationToken, bool isAborting = false)
    {
        var started = time.GetTimestamp();
        while (sessions.Count > 0
            && time.GetElapsedTime(started) < timeout
            && !cancellationToken.IsCancellationRequested
            && (isAborting || !_abortSessions.IsCancellationRequested))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), time, CancellationToken.None);
        }
    }
}
