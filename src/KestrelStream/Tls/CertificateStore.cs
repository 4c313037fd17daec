using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Tls;

/// <summary>
/// All certificates of the running config, by id. Watches their files and swaps a certificate when its files have changed for the better.
/// One for the process; thread-safe.
/// </summary>
internal sealed partial class CertificateStore : IDisposable
{
    private readonly TimeProvider _time;
    private readonly ILogger<CertificateStore> _logger;

    // Held while files are looked at and certificates are swapped; never by a handshake.
    private readonly Lock _gate = new();
    private volatile IReadOnlyDictionary<string, CertificateState> _states = ConfigMap.Empty<CertificateState>();
    private int _version;

    public CertificateStore(TimeProvider time, ILogger<CertificateStore> logger)
    {
        _time = time;
        _logger = logger;
    }

    /// <summary>A certificate was swapped because its files have changed; its id. Raised on the thread that watches, after <see cref="Version"/> has grown.</summary>
    public event Action<string>? Changed;

    /// <summary>By id.</summary>
    public IReadOnlyDictionary<string, CertificateState> States => _states;

    /// <summary>Grows after each swap of a <see cref="CertificateState.Current"/>: who caches what was made of one compares this first.</summary>
    public int Version => Volatile.Read(ref _version);

    /// <summary>
    /// Loads what a config names. Certificates whose config is the same as in the running one keep their state, and are read again only if their files
    /// have changed. Changes nothing that runs.
    /// </summary>
    /// <param name="certificates">By id.</param>
    /// <param name="basePath">What relative paths are relative to.</param>
    public CertificateSet Prepare(IReadOnlyDictionary<string, CertificateConfig> certificates, string basePath)
    {
        var running = _states;
        var states = ConfigMap.Create<CertificateState>();
        var errors = new List<CertificateError>();
        var loaded = new List<(CertificateState, CertificateLoadResult)>();
        foreach (var (id, given) in certificates)
        {
            var config = AcmeFiles.Resolve(id, given);
            var state = running.TryGetValue(id, out var known) && known.Config == config && known.BasePath == basePath ? known : null;
            if (state is not null && state.ReadFiles() == state.Current.Files)
            {
                states.Add(id, state);
                continue;
            }

            var result = CertificateLoader.Load(id, config, basePath, _time.GetUtcNow());
            if (result.Entry is null && config.Acme is { } acme)
            {
                // Another one will be got; what runs, or what is to start, does not wait for it.
                if (state is not null)
                {
                    states.Add(id, state);
                    continue;
                }

                result = StandInCertificate.Create(id, acme, result, _time.GetUtcNow());
            }

            if (result.Entry is null)
            {
                errors.Add(result.Error!);
                continue;
            }

            state ??= new CertificateState(id, config, basePath, result.Entry);
            states.Add(id, state);
            loaded.Add((state, result));
        }

        return new CertificateSet { States = states, Errors = errors, Loaded = loaded };
    }

    /// <summary>Puts a set without errors in force: from now on it is the one that is watched.</summary>
    public void Commit(CertificateSet set)
    {
        if (set.Errors.Count > 0)
        {
            throw new ArgumentException("The set has errors.", nameof(set));
        }

        lock (_gate)
        {
            _states = set.States;
            foreach (var (state, result) in set.Loaded)
            {
                state.Current = result.Entry!;
                if (state.Current.IsStandIn)
                {
                    LogStandIn(_logger, state.Id, string.Join(", ", state.Current.DnsNames), state.Current.IsRefused ? "refused" : "shown a self-signed one");
                }
                else
                {
                    LogLoaded(_logger, state.Id, state.Config.Path, state.Current.NotAfter, string.Join(", ", state.Current.DnsNames));
                }

                Warn(state, result);
            }

            Interlocked.Increment(ref _version);
            ForgetWatched();
        }
    }

    private void Warn(CertificateState state, CertificateLoadResult result)
    {
        if (result.Warning is { } warning)
        {
            LogWarning(_logger, state.Id, warning);
        }
    }

    [LoggerMessage(EventIds.CertificateLoaded, LogLevel.Information, "Certificate {Certificate} loaded from '{Path}': valid until {NotAfter:u}, for {Names}")]
    private static partial void LogLoaded(ILogger logger, string certificate, string path, DateTimeOffset notAfter, string names);

    [LoggerMessage(EventIds.CertificateMissing, LogLevel.Warning, "Certificate {Certificate} for {Names} is still to be got; until then clients are {Treatment}")]
    private static partial void LogStandIn(ILogger logger, string certificate, string names, string treatment);

    [LoggerMessage(EventIds.CertificateNotValid, LogLevel.Warning, "Certificate {Certificate}: {Warning}")]
    private static partial void LogWarning(ILogger logger, string certificate, string warning);
}
