using KestrelStream.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Tls;

/// <summary>
/// Looks at the files on a clock. Notifications of the file system are no substitute: they end at symbolic links, which certbot and Kubernetes swap,
/// and do not exist on network file systems.
/// </summary>
internal sealed partial class CertificateStore
{
    /// <summary>From one look at the files to the next.</summary>
    public static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(500);

    // The same after a change was seen: two looks must agree.
    private static readonly TimeSpan SettleInterval = TimeSpan.FromMilliseconds(150);

    // A refused pair is tried again after so long even if the files seem the same: who may read them shows in no fingerprint.
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);

    private ITimer? _timer;
    private bool _isDisposed;

    /// <summary>Begins to watch the files; for as long as the store lives.</summary>
    public void Watch()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            // Armed for one look at a time: a slow file system must not make looks pile up.
            _timer ??= _time.CreateTimer(static store => ((CertificateStore)store!).Poll(), this, PollInterval, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _timer?.Dispose();
        }
    }

    /// <summary>The file of a certificate was replaced as a whole a moment ago: takes it now, without the second look that files of strangers need.</summary>
    public void TakeReplaced(string id)
    {
        lock (_gate)
        {
            if (_isDisposed || !_states.TryGetValue(id, out var state) || state.Folder is not null)
            {
                return;
            }

            foreach (var slot in state.Slots.Values)
            {
                slot.Seen = CertificateFiles.Read(slot.Paths);
            }

            if (!Look(state, out _))
            {
                return;
            }

            RenewGroups([state]);
            Interlocked.Increment(ref _version);
        }

        Tell(id);
    }

    private void Poll()
    {
        var changed = new List<CertificateState>();
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            var pause = PollInterval;
            var elapsed = TimeSpan.Zero;
            foreach (var state in _states.Values)
            {
                if (Look(state, out var look))
                {
                    changed.Add(state);
                }

                if (look is not null)
                {
                    pause = look.IsSettling ? SettleInterval : pause;

                    // Folders have their own measure.
                    elapsed += state.Folder is null ? look.Elapsed : TimeSpan.Zero;
                }
            }

            if (changed.Count > 0)
            {
                RenewGroups(changed);
                Interlocked.Increment(ref _version);
            }

            elapsed *= CertificateLook.MaxShareOfCore;
            _timer!.Change(elapsed > pause ? elapsed : pause, Timeout.InfiniteTimeSpan);
        }

        changed.ForEach(state => Tell(state.Id));
    }

    /// <summary>Whether something else is served now.</summary>
    private bool Look(CertificateState state, out CertificateLook? look)
    {
        look = null;
        try
        {
            look = new CertificateLook(state, _time);
            return Apply(state, look);
        }
        catch (Exception e)
        {
            // On a timer an exception would end the process; the old certificate is as good as before.
            LogWatchFailed(_logger, e, state.Id);
            return false;
        }
    }

    private void Tell(string id)
    {
        try
        {
            Changed?.Invoke(id);
        }
        catch (Exception e)
        {
            LogWatchFailed(_logger, e, id);
        }
    }

    /// <summary>Whether something else is served now.</summary>
    private bool Apply(CertificateState state, CertificateLook look)
    {
        var now = _time.GetUtcNow();
        if (!look.HasNews && look.WhyUnreadable == state.WhyUnreadable && !(state.NextValid <= now))
        {
            // As nearly always.
            return false;
        }

        if (look.WhyUnreadable != state.WhyUnreadable)
        {
            state.WhyUnreadable = look.WhyUnreadable;
            if (look.WhyUnreadable is { } why)
            {
                state.CountRefused();
                LogUnreadable(_logger, state.Id, why, state.Entries.Count);
            }
        }

        var isOther = false;
        foreach (var slot in look.Gone)
        {
            state.Slots.Remove(slot.Paths.Path);
            if (slot.Entry is { } entry)
            {
                isOther = true;
                LogRemoved(_logger, state.Id, slot.Paths.Path, string.Join(", ", entry.DnsNames));
            }
        }

        var results = LoadAll(state.Id, state.Config, look.Due.ConvertAll(due => due.Slot.Paths), now);
        for (var i = 0; i < results.Length; i++)
        {
            isOther |= Take(state, look.Due[i].Slot, look.Due[i].Files, results[i], now);
        }

        if (isOther || state.NextValid <= now)
        {
            state.Publish(now);
            if (state.Folder is not null)
            {
                ReportOverlaps(state);
            }

            return true;
        }

        if (look.HasNews)
        {
            state.PublishRefused();
        }

        return false;
    }

    /// <summary>Whether the certificate was swapped.</summary>
    private bool Take(CertificateState state, CertificateSlot slot, CertificateFiles files, CertificateLoadResult result, DateTimeOffset now)
    {
        if (result.Entry is not { } entry)
        {
            if (result.Files != files)
            {
                slot.Seen = result.Files;
            }
            else
            {
                Refuse(state, slot, files, result.Error!, now);
            }

            return false;
        }

        var isOther = slot.Entry is null || !entry.HasSameChain(slot.Entry);
        if (isOther && WhyNotUsable?.Invoke(state, entry) is { } whyNot)
        {
            Refuse(state, slot, files, new CertificateError(state.Id, state.ConfigKey, $"'{slot.Paths.Path}': {whyNot}"), now);
            return false;
        }

        var isNew = slot.Entry is null;
        slot.Accept(entry);
        if (!isOther)
        {
            // Touched or written again: nothing for anybody to rebuild; but a pair that was refused no longer is.
            state.Publish(now);
            return false;
        }

        state.CountTaken();
        LogReloaded(_logger, state.Id, isNew ? "loaded" : "reloaded", entry.Files.Certificate.Target, entry.NotAfter, string.Join(", ", entry.DnsNames));
        Report(result.Warnings);
        return true;
    }

    private void Refuse(CertificateState state, CertificateSlot slot, CertificateFiles files, CertificateError error, DateTimeOffset now)
    {
        if (slot.Refused != files || slot.Reason!.Message != error.Message)
        {
            if (error.IsHalf && slot.Entry is null)
            {
                LogLeftOut(_logger, state.Id, error.Message);
            }
            else
            {
                state.CountRefused();
                if (slot.Entry is { } entry)
                {
                    LogRefused(_logger, state.Id, error.Message, entry.NotAfter);
                }
                else
                {
                    LogWarning(_logger, state.Id, error.Message);
                }
            }
        }

        slot.Refuse(files, slot.Entry is null ? error : error with { IsHalf = false }, now + RetryAfter);
    }

    [LoggerMessage(EventIds.CertificateReloaded, LogLevel.Information, "Certificate {Certificate} {Done} from '{Path}': valid until {NotAfter:u}, for {Names}")]
    private static partial void LogReloaded(ILogger logger, string certificate, string done, string path, DateTimeOffset notAfter, string names);

    [LoggerMessage(EventIds.CertificateRefused, LogLevel.Warning, "Certificate {Certificate}: its new files are refused and the old certificate stays, valid until {NotAfter:u}: {Reason}")]
    private static partial void LogRefused(ILogger logger, string certificate, string reason, DateTimeOffset notAfter);

    [LoggerMessage(EventIds.CertificateRemoved, LogLevel.Information, "Certificate {Certificate}: '{Path}' is gone, and with it the certificate for {Names}")]
    private static partial void LogRemoved(ILogger logger, string certificate, string path, string names);

    [LoggerMessage(EventIds.CertificateLeftOut, LogLevel.Information, "Certificate {Certificate}: left out, as it is one half of a pair or an authority's: {Reason}")]
    private static partial void LogLeftOut(ILogger logger, string certificate, string reason);

    [LoggerMessage(EventIds.CertificateFolderUnreadable, LogLevel.Warning, "Certificate {Certificate}: {Reason}; the {Count} certificates that were loaded stay")]
    private static partial void LogUnreadable(ILogger logger, string certificate, string reason, int count);

    [LoggerMessage(EventIds.CertificateWatchFailed, LogLevel.Error, "Certificate {Certificate}: its files could not be watched")]
    private static partial void LogWatchFailed(ILogger logger, Exception exception, string certificate);
}
