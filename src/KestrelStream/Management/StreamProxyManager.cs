using System.Net;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Access;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Diagnostics.AccessLogs;
using KestrelStream.Dialing.Warm;
using KestrelStream.Discovery;
using KestrelStream.Health.Checks;
using KestrelStream.Http;
using KestrelStream.Limits;
using KestrelStream.Model;
using KestrelStream.Preread;
using KestrelStream.Sessions;
using KestrelStream.Tls;
using KestrelStream.Tls.Ocsp;
using KestrelStream.Tls.OpenSsl;
using KestrelStream.Tls.Tickets;
using KestrelStream.Tls.Upstream;
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
    IHttpAppSource httpApps,
    HttpApp http,
    AccessWatch access,
    LimitRegistry limits,
    Admission admission,
    PrereadBudget prereadBudget,
    EngineSelector engines,
    TlsEngineSelector tlsEngines,
    SessionTable sessions,
    DescriptorBudget descriptors,
    StreamProxyMetrics metrics,
    AccessLog accessLog,
    ConfigHistory history,
    IServiceProvider services,
    TimeProvider time,
    ILoggerFactory loggers) : IStreamProxy, IProxyState, IAsyncDisposable
{
    /// <summary>A token that is shorter is warned of: it can be guessed.</summary>
    private const int GoodTokenLength = 16;

    /// <summary>Room for fewer sessions is warned of at start: many systems begin with a limit of 1,024 descriptors.</summary>
    private const int FewSessions = 2000;

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
            if (descriptors.MaxSessions < FewSessions)
            {
                Log.FewDescriptors(_logger, descriptors.Limit, descriptors.MaxSessions);
            }

            if (_engine is EventLoopEngine loops)
            {
                metrics.ObserveLoops(loops.ReadLoops, loops.ReadHandshakes);
            }

            _openSsl = tlsEngines.Select(read.Config, isOnLoops: _engine is EventLoopEngine);
            _listeners = new ListenerSet(_engine, services);
            var errors = await ApplyAsync(read.Config, ConfigEventKind.Start, cancellationToken);
            if (errors.Count > 0)
            {
                throw new StreamProxyConfigException(errors);
            }

            certificates.WhyNotUsable = (state, entry) => _current!.Routes.Values.Select(route => route.Tls?.WhyNot(state, entry))
                .Concat(_current.Clusters.Values.Select(cluster => cluster.Model.Tls?.WhyNot(state, entry)))
                .FirstOrDefault(why => why is not null);
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
            var errors = read.Errors.Count > 0 ? read.Errors : await TryApplyAsync(read.Config, ConfigEventKind.Reload, cancellationToken);
            ReportReload(errors);
            return new ReloadResult(errors.Count == 0, errors);
        }
        finally
        {
            _gate.Release();
        }
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
            using var abortHttp = new CancellationTokenSource();
            var stoppingHttp = http.StopAsync(abortHttp.Token);
            await WaitForSessionsAsync(timeout, cancellationToken);
            var left = sessions.Snapshot();
            left.ForEach(session => session.Abort(SessionEndReason.DrainTimeout));
            await abortHttp.CancelAsync();
            await stoppingHttp;

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

    private async Task<IReadOnlyList<ConfigError>> TryApplyAsync(StreamProxyConfig config, ConfigEventKind kind, CancellationToken cancellationToken)
    {
        WarnOfRestart(_config!, config);
        try
        {
            return await ApplyAsync(config, kind, cancellationToken);
        }
        catch (ListenerBindException e)
        {
            return [new ConfigError($"StreamProxy:Listeners:{e.Listener}:Address", e.Message)];
        }
    }

    /// <param name="config">As it was read; what operators have changed comes over it.</param>
    /// <param name="kind">What has led to it.</param>
    /// <param name="cancellationToken">Ends the binding of new addresses.</param>
    private async Task<IReadOnlyList<ConfigError>> ApplyAsync(StreamProxyConfig config, ConfigEventKind kind, CancellationToken cancellationToken)
    {
        var overrides = _overrides.Rebase(config, checks.ValidateCluster, out var dropped);
        var effective = overrides.Over(config);
        var certificateChange = certificates.Prepare(effective.Certificates, provider.BasePath);
        List<ConfigError> errors = [.. certificateChange.Errors.Select(error => ToConfigError(error, effective)), .. CheckAccessLog(effective)];
        var authorities = CheckAuthorities.Load(effective, provider.BasePath, errors);
        var trusts = ClientTrusts.Load(effective, provider.BasePath, errors);
        var accessRules = AccessRuleSet.Load(effective, provider.BasePath, errors);
        var ticketChange = ticketKeys.Prepare(effective, provider.BasePath, errors);
        errors.AddRange(CheckSources(effective));
        if (errors.Count > 0)
        {
            return errors;
        }

        var policies = RoutePolicies.Compile(config, certificateChange, new(trusts, ticketChange, stapler, provider.BasePath), certificates, _openSsl!, id => _current?.Routes.GetValueOrDefault(id)?.Tls);
        var upstream = UpstreamPolicies.Compile(
            effective, provider.BasePath, certificateChange, certificates, _openSsl!, id => _current?.Clusters.GetValueOrDefault(id)?.Model.Tls);
        if (policies.Errors.Count + upstream.Errors.Count > 0)
        {
            return [.. policies.Errors, .. upstream.Errors];
        }

        if (await httpApps.PrepareAsync(effective, cancellationToken) is { Count: > 0 } httpErrors)
        {
            return httpErrors;
        }

        var clusterChange = clusters.Prepare(effective.Clusters, id => upstream[id]);
        var next = SnapshotBuilder.Build(
            effective, Generation + 1, time.GetUtcNow(), clusterChange.Clusters, (id, _) => policies[id], accessRules, limits);

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
        metrics.ShowTopNames(effective.Metrics.TopNames);
        access.Follow(accessRules);
        admission.Apply(effective.Limits);
        limits.Clients.MaxClients = effective.Limits.MaxClients;
        prereadBudget.Bytes = effective.Limits.PrereadBytes;
        accessLog.Apply(effective.AccessLog, provider.BasePath);
        if (_config is not null && !ConfigComparison.AreSame(_config, config))
        {
            // The same once more leaves the way back open.
            _configBefore = _config;
        }

        history.Applied(kind, next.Generation, _config, config);
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

        if (snapshot.Generation == 1)
        {
            ReportStart(snapshot.Config);
        }

        if (snapshot.Config.Admin?.Token is { Length: < GoodTokenLength })
        {
            Log.WeakToken(_logger, GoodTokenLength);
        }
    }

    private void ReportStart(StreamProxyConfig config)
    {
        if (config.AccessLog is { } log)
        {
            Log.AccessLogOn(_logger, log.Format, AccessLogPlan.Create(log, provider.BasePath).Path);
        }

        if (ProxyAddress.TryParseListen(config.Admin?.Address ?? "", out var admin) && !admin!.IsLocal)
        {
            Log.AdminExposed(_logger, config.Admin!.Address);
        }
    }

    private void ReportReload(IReadOnlyList<ConfigError> errors)
    {
        metrics.ConfigReloaded(errors.Count == 0);
        if (errors.Count > 0)
        {
            history.Rejected(Generation, errors);
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
        if (config.AccessLog is { } log && AccessLogPlan.WhyNotWritable(log, provider.BasePath) is { } why)
        {
            yield return new ConfigError("StreamProxy:AccessLog:Path", $"{ErrorText.Quote(log.Path)}: {why}");
        }
    }

    /// <summary>A certificate's mistake, with the routes and clusters that need it.</summary>
    private static ConfigError ToConfigError(CertificateError error, StreamProxyConfig config)
    {
        List<string> users =
        [
            .. config.Routes.Where(r => r.Value.Tls?.Certificates.Contains(error.Id, StringComparer.OrdinalIgnoreCase) ?? false).Select(r => $"route {r.Key}"),
            .. config.Clusters.Where(c => error.Id.Equals(c.Value.Tls?.Certificate, StringComparison.OrdinalIgnoreCase)).Select(c => $"cluster {c.Key}"),
        ];
        var usedBy = users.Count == 0 ? "" : $" (certificate \"{error.Id}\" of {string.Join(", ", users)})";
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
