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

    // A refused pair is tried again after so long even if the files seem the same: who may read them shows in no fingerprint.
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);

    // With thousands of certificates a look may take long; then it is taken more rarely, so as not to cost more than this part of a core.
    private const int MaxShareOfCore = 20;

    private readonly Dictionary<CertificateState, Watched> _watched = [];
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

    private void Poll()
    {
        List<string>? changed = null;
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            var started = _time.GetTimestamp();
            foreach (var state in _states.Values)
            {
                try
                {
                    if (Look(state))
                    {
                        (changed ??= []).Add(state.Id);
                    }
                }
                catch (Exception e)
                {
                    // On a timer an exception would end the process; the old certificate is as good as before.
                    LogWatchFailed(_logger, e, state.Id);
                }
            }

            var pause = _time.GetElapsedTime(started) * MaxShareOfCore;
            _timer!.Change(pause > PollInterval ? pause : PollInterval, Timeout.InfiniteTimeSpan);
        }

        foreach (var id in changed ?? [])
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
    }

    /// <summary>Whether the certificate was swapped.</summary>
    private bool Look(CertificateState state)
    {
        var files = state.ReadFiles();
        if (files == state.Current.Files)
        {
            _watched.Remove(state);
            return false;
        }

        // Two looks must agree: between two writes, and between the certificate and its key, there is always a moment.
        if (!_watched.TryGetValue(state, out var watched) || watched.Seen != files)
        {
            _watched[state] = watched = (watched ?? new Watched()) with { Seen = files };
            return false;
        }

        var now = _time.GetUtcNow();
        if (watched.Refused == files && now < watched.RetryAt)
        {
            return false;
        }

        var result = CertificateLoader.Load(state.Id, state.Config, state.BasePath, now);
        if (result.Entry is not { } entry)
        {
            if (result.Files != files)
            {
                _watched[state] = watched with { Seen = result.Files };
            }
            else
            {
                Refuse(state, watched, result.Error!, now);
            }

            return false;
        }

        _watched.Remove(state);
        return Swap(state, entry, result);
    }

    private void Refuse(CertificateState state, Watched watched, CertificateError error, DateTimeOffset now)
    {
        if (watched.Refused != watched.Seen || watched.Reason != error.Message)
        {
            LogRefused(_logger, state.Id, error.Message, state.Current.NotAfter);
        }

        _watched[state] = watched with { Refused = watched.Seen, Reason = error.Message, RetryAt = now + RetryAfter };
    }

    private bool Swap(CertificateState state, CertificateEntry entry, CertificateLoadResult result)
    {
        var isOther = !entry.HasSameChain(state.Current);
        state.Current = entry;
        if (!isOther)
        {
            return false; // Touched or written again: nothing for anybody to rebuild.
        }

        Interlocked.Increment(ref _version);
        LogReloaded(_logger, state.Id, entry.Files.Certificate.Target, entry.NotAfter, string.Join(", ", entry.DnsNames));
        Warn(state, result);
        return true;
    }

    /// <summary>A policy cannot use a certificate that was swapped, and keeps the old one.</summary>
    public void Refuse(CertificateState state, string reason) => LogRefused(_logger, state.Id, reason, state.Current.NotAfter);

    private void ForgetWatched()
    {
        foreach (var state in _watched.Keys.Where(state => !_states.TryGetValue(state.Id, out var known) || known != state).ToArray())
        {
            _watched.Remove(state);
        }
    }

    [LoggerMessage(EventIds.CertificateReloaded, LogLevel.Information, "Certificate {Certificate} reloaded from '{Path}': valid until {NotAfter:u}, for {Names}")]
    private static partial void LogReloaded(ILogger logger, string certificate, string path, DateTimeOffset notAfter, string names);

    [LoggerMessage(EventIds.CertificateRefused, LogLevel.Warning, "Certificate {Certificate}: its new files are refused and the old certificate stays, valid until {NotAfter:u}: {Reason}")]
    private static partial void LogRefused(ILogger logger, string certificate, string reason, DateTimeOffset notAfter);

    [LoggerMessage(EventIds.CertificateWatchFailed, LogLevel.Error, "Certificate {Certificate}: its files could not be watched")]
    private static partial void LogWatchFailed(ILogger logger, Exception exception, string certificate);

    /// <summary>What is known of files that differ from those in use.</summary>
    private sealed record Watched
    {
        /// <summary>At the last look.</summary>
        public CertificateFiles Seen { get; init; }

        /// <summary>The state that was refused last; null = none yet.</summary>
        public CertificateFiles? Refused { get; init; }

        /// <summary>Why.</summary>
        public string? Reason { get; init; }

        public DateTimeOffset RetryAt { get; init; }
    }
}
