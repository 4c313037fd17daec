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
    /// <summary>Of a folder that is full of mistakes so many are logged by themselves.</summary>
    private const int MaxLogged = 20;

    private readonly TimeProvider _time;
    private readonly ILogger<CertificateStore> _logger;

    // Held while files are looked at and certificates are swapped; never by a handshake.
    private readonly Lock _gate = new();

    // Routes of snapshots that are gone let go of theirs.
    private readonly List<WeakReference<CertificateGroup>> _groups = [];
    private volatile IReadOnlyDictionary<string, CertificateState> _states = ConfigMap.Empty<CertificateState>();
    private int _version;

    public CertificateStore(TimeProvider time, ILogger<CertificateStore> logger)
    {
        _time = time;
        _logger = logger;
    }

    /// <summary>Certificates of an id were swapped, added or removed because files have changed. Raised on the thread that watches, when they are in force.</summary>
    public event Action<string>? Changed;

    /// <summary>By id.</summary>
    public IReadOnlyDictionary<string, CertificateState> States => _states;

    /// <summary>Grows with each change of what is served.</summary>
    public int Version => Volatile.Read(ref _version);

    /// <summary>Says why those who use a certificate cannot use a new one in its place; null = they can. Asked before each swap.</summary>
    public Func<CertificateState, CertificateEntry, string?>? WhyNotUsable { get; set; }

    /// <summary>
    /// Loads what a config names. Certificates whose config is the same as in the running one keep their state, and are read again only if their files
    /// have changed; what is watched already and needs no file, folders and what ACME gets, is left to the watch. Changes nothing that runs.
    /// </summary>
    /// <param name="certificates">By id.</param>
    /// <param name="basePath">What relative paths are relative to.</param>
    public CertificateSet Prepare(IReadOnlyDictionary<string, CertificateConfig> certificates, string basePath)
    {
        var running = _states;
        var states = ConfigMap.Create<CertificateState>();
        var errors = new List<CertificateError>();
        var warnings = new List<CertificateError>();
        var created = new List<CertificateState>();
        var changed = new Dictionary<CertificateState, CertificateEntry>();
        foreach (var (id, config) in certificates)
        {
            var state = running.TryGetValue(id, out var known) && known.Config == config && known.BasePath == basePath ? known : null;
            if (state is not null && (state.Folder is not null || config.Acme is not null || IsUnchanged(state)))
            {
                states.Add(id, state);
                continue;
            }

            var now = _time.GetUtcNow();
            if (config.Directory is not null)
            {
                state = LoadFolder(id, config, basePath, now, errors, warnings);
            }
            else if (config.Acme is not null)
            {
                state = LoadAwaited(id, config, basePath, now, warnings);
            }
            else
            {
                var result = CertificateLoader.Load(id, config, basePath, now);
                warnings.AddRange(result.Warnings);
                if (result.Entry is not { } entry)
                {
                    errors.Add(result.Error!);
                    continue;
                }

                if (state is not null)
                {
                    states.Add(id, state);
                    changed.Add(state, entry);
                    continue;
                }

                state = new CertificateState(id, config, basePath, entry, now);
            }

            if (state is not null)
            {
                states.Add(id, state);
                created.Add(state);
            }
        }

        return new CertificateSet { States = states, Errors = errors, Warnings = warnings, New = created, Changed = changed };
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
            foreach (var (state, entry) in set.Changed)
            {
                state.Slots.Values.Single().Accept(entry);
                state.CountTaken();
                state.Publish(_time.GetUtcNow());
            }

            foreach (var state in set.New.Concat(set.Changed.Keys))
            {
                ReportLoaded(state);
            }

            Report(set.Warnings);
            RenewGroups([.. set.Changed.Keys]);
            Interlocked.Increment(ref _version);
        }
    }

    /// <summary>The certificates that a route names, shared with all that name the same.</summary>
    /// <param name="states">In the route's order.</param>
    /// <param name="unknownName">What is done with clients whose name no certificate has.</param>
    public CertificateGroup GroupOf(CertificateState[] states, UnknownName unknownName)
    {
        lock (_gate)
        {
            foreach (var reference in _groups)
            {
                if (reference.TryGetTarget(out var group) && group.UnknownName == unknownName && group.States.SequenceEqual(states))
                {
                    return group;
                }
            }

            var made = new CertificateGroup(states, unknownName);
            _groups.Add(new WeakReference<CertificateGroup>(made));
            return made;
        }
    }

    private static bool IsUnchanged(CertificateState state)
    {
        var entry = state.Entries[0];
        return CertificateFiles.Read(CertificatePaths.Of(state.Id, state.Config, state.BasePath)) == entry.Files;
    }

    private void RenewGroups(IReadOnlyCollection<CertificateState> changed)
    {
        _groups.RemoveAll(reference => !reference.TryGetTarget(out _));
        foreach (var reference in _groups)
        {
            if (reference.TryGetTarget(out var group) && group.States.Any(changed.Contains))
            {
                group.Renew();
            }
        }
    }

    private void ReportLoaded(CertificateState state)
    {
        if (state.Folder is { } folder)
        {
            LogFolderLoaded(_logger, state.Id, folder.Path, state.Entries.Count, state.Refused.Count);
            ReportOverlaps(state);
        }
        else if (state.IsAwaited)
        {
            LogAwaited(_logger, state.Id, string.Join(", ", state.Config.Acme!.Names), state.StandIn is null ? "refused" : "shown a self-signed one");
        }
        else
        {
            var entry = state.Entries[0];
            LogLoaded(_logger, state.Id, state.Config.Acme is null ? state.Config.Path : entry.Files.Certificate.Target, entry.NotAfter, string.Join(", ", entry.DnsNames));
        }
    }

    private void Report(IEnumerable<CertificateError> warnings)
    {
        foreach (var ofOne in warnings.GroupBy(warning => warning.Id))
        {
            foreach (var warning in ofOne.Take(MaxLogged))
            {
                LogWarning(_logger, warning.Id, warning.Message);
            }

            if (ofOne.Count() > MaxLogged)
            {
                LogWarning(_logger, ofOne.Key, $"{ofOne.Count() - MaxLogged} more warnings; /api/certificates and 'kestrelstream check' have all");
            }
        }
    }

    /// <summary>Of two certificates for one name, with keys of one kind, one is never shown for it.</summary>
    private void ReportOverlaps(CertificateState state)
    {
        var shown = new Dictionary<(string Name, string KeyAlgorithm), CertificateEntry>();
        var logged = 0;
        foreach (var entry in state.Entries)
        {
            foreach (var name in entry.DnsNames)
            {
                if (!shown.TryAdd((name, entry.KeyAlgorithm), entry) && ++logged <= MaxLogged)
                {
                    LogOverlap(_logger, state.Id, shown[(name, entry.KeyAlgorithm)].Files.Certificate.Target, name, entry.Files.Certificate.Target);
                }
            }
        }
    }

    [LoggerMessage(EventIds.CertificateLoaded, LogLevel.Information, "Certificate {Certificate} loaded from '{Path}': valid until {NotAfter:u}, for {Names}")]
    private static partial void LogLoaded(ILogger logger, string certificate, string path, DateTimeOffset notAfter, string names);

    [LoggerMessage(EventIds.CertificateMissing, LogLevel.Warning, "Certificate {Certificate} for {Names} is still to be got; until then clients are {Treatment}")]
    private static partial void LogAwaited(ILogger logger, string certificate, string names, string treatment);

    [LoggerMessage(EventIds.CertificateFolderLoaded, LogLevel.Information, "Certificate {Certificate}: {Count} certificates loaded from '{Path}', {Refused} refused")]
    private static partial void LogFolderLoaded(ILogger logger, string certificate, string path, int count, int refused);

    [LoggerMessage(EventIds.CertificateOverlap, LogLevel.Information, "Certificate {Certificate}: '{Shown}' is shown for {Name}, being valid longer than '{Other}'")]
    private static partial void LogOverlap(ILogger logger, string certificate, string shown, string name, string other);

    [LoggerMessage(EventIds.CertificateNotValid, LogLevel.Warning, "Certificate {Certificate}: {Warning}")]
    private static partial void LogWarning(ILogger logger, string certificate, string warning);
}
