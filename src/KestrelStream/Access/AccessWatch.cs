using KestrelStream.Diagnostics;
using KestrelStream.Tls;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Access;

/// <summary>
/// Looks at the files of the rules in force and has them read again when they have changed; a file that is not good is refused and the old rules stay.
/// On a clock, as certificates are watched. One for the process; thread-safe.
/// </summary>
internal sealed partial class AccessWatch : IDisposable
{
    /// <summary>A change is seen by one look, and read when the next one sees the same: in force within half a second.</summary>
    public static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly ILogger<AccessWatch> _logger;
    private readonly Dictionary<AccessRules, (FileFingerprint, FileFingerprint)> _changed = [];
    private readonly Dictionary<AccessRules, (FileFingerprint, FileFingerprint)> _refused = [];
    private readonly ITimer _timer;
    private List<AccessRules> _rules = [];
    private bool _isDisposed;

    public AccessWatch(TimeProvider time, ILogger<AccessWatch> logger)
    {
        _time = time;
        _logger = logger;
        _timer = time.CreateTimer(static watch => ((AccessWatch)watch!).Poll(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>From now on these are the rules in force.</summary>
    public void Follow(AccessRuleSet set)
    {
        lock (_gate)
        {
            _rules = [.. set.All.Where(rules => rules.HasFiles)];
            _changed.Clear();
            _refused.Clear();
            Arm();
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _timer.Dispose();
        }
    }

    /// <summary>For one look at a time: a slow file system must not make looks pile up.</summary>
    private void Arm()
    {
        if (!_isDisposed)
        {
            _timer.Change(_rules.Count > 0 ? PollInterval : Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    private void Poll()
    {
        lock (_gate)
        {
            foreach (var rules in _rules)
            {
                try
                {
                    Look(rules);
                }
                catch (Exception e)
                {
                    // On a timer an exception would end the process; the old rules are as good as before.
                    LogWatchFailed(_logger, e, rules.Owner);
                }
            }

            Arm();
        }
    }

    private void Look(AccessRules rules)
    {
        var files = rules.LookAtFiles();
        if (files == rules.Files || (_refused.TryGetValue(rules, out var refused) && refused == files))
        {
            _changed.Remove(rules);
            return;
        }

        // Two looks must agree: whoever writes may not have finished.
        if (!_changed.TryGetValue(rules, out var seen) || seen != files)
        {
            _changed[rules] = files;
            return;
        }

        _changed.Remove(rules);
        if (rules.TryRead() is { } error)
        {
            _refused[rules] = files;
            LogRefused(_logger, error.Path, error.Message, rules.Count);
        }
        else
        {
            _refused.Remove(rules);
            LogReloaded(_logger, rules.Owner, rules.Count);
        }
    }

    [LoggerMessage(EventIds.AccessRulesReloaded, LogLevel.Information, "{Owner}: access rules reloaded, {Count} networks")]
    private static partial void LogReloaded(ILogger logger, string owner, int count);

    [LoggerMessage(EventIds.AccessRulesRefused, LogLevel.Warning, "{Path}: the changed file is refused and the old rules stay, {Count} networks: {Reason}")]
    private static partial void LogRefused(ILogger logger, string path, string reason, int count);

    [LoggerMessage(EventIds.AccessWatchFailed, LogLevel.Error, "{Owner}: its files could not be watched")]
    private static partial void LogWatchFailed(ILogger logger, Exception exception, string owner);
}
