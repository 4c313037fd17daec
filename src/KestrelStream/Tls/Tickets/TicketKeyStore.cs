using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Tls.Tickets;

/// <summary>All secrets of session tickets in the process: turns those that are made here, watches the files of the others. One for the process; thread-safe.</summary>
internal sealed partial class TicketKeyStore(TimeProvider time, ILogger<TicketKeyStore> logger) : IDisposable
{
    /// <summary>Two looks a change: half a second.</summary>
    public static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>Where there are no files to look at.</summary>
    private static readonly TimeSpan s_turnInterval = TimeSpan.FromSeconds(5);

    // Held while keys are changed; never by a handshake.
    private readonly Lock _gate = new();
    private Dictionary<object, TicketKeyRing> _rings = [];
    private ITimer? _timer;
    private bool _isDisposed;

    /// <summary>Finds or makes what the routes of a config need. Changes nothing that runs.</summary>
    /// <param name="config">Valid in itself.</param>
    /// <param name="basePath">What relative paths are relative to.</param>
    /// <param name="errors">Gets one for each route whose files are no good.</param>
    public TicketKeyChange Prepare(StreamProxyConfig config, string basePath, ICollection<ConfigError> errors)
    {
        var change = new TicketKeyChange();
        foreach (var (id, route) in config.Routes)
        {
            var tickets = route.Tls?.SessionTickets ?? new SessionTicketsConfig();
            if (route.Tls is not { Mode: TlsMode.Terminate, Resumes: true } tls || !tickets.Enabled || tickets.KeyFiles.Any(file => file.Length == 0 || file.Contains('\0')))
            {
                // Of what is wrong with the names themselves validation speaks.
                continue;
            }

            object key = tickets.KeyFiles.Count > 0
                ? string.Join('\0', tickets.KeyFiles.Select(file => Path.GetFullPath(file, basePath)))
                : (tickets.RotationInterval, tls.SessionTimeout);
            if (!change.Rings.TryGetValue(key, out var ring))
            {
                ring = key is string paths
                    ? Open(paths.Split('\0'), $"StreamProxy:Routes:{id}:Tls:SessionTickets:KeyFiles", change, errors)
                    : Running(key) ?? new RotatingTicketKeys(time, tickets.RotationInterval, tls.SessionTimeout);
            }

            if (ring is not null)
            {
                change.Rings[key] = ring;
                change.Routes.Add(id, ring);
            }
        }

        return change;
    }

    /// <summary>Puts a change in force: from now on its keys are turned and its files watched.</summary>
    public void Commit(TicketKeyChange change)
    {
        lock (_gate)
        {
            _rings = change.Rings;
            _timer ??= time.CreateTimer(static store => ((TicketKeyStore)store!).Poll(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            Arm();
        }

        change.OpenFiles.ForEach(file => LogOpenToAll(logger, file));
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _rings = [];
            _isDisposed = true;
            _timer?.Dispose();
        }
    }

    private TicketKeyRing? Running(object key)
    {
        lock (_gate)
        {
            return _rings.GetValueOrDefault(key);
        }
    }

    /// <summary>Files that are no good are an error whatever runs: who starts next with this config would not get far.</summary>
    private TicketKeyRing? Open(string[] paths, string errorPath, TicketKeyChange change, ICollection<ConfigError> errors)
    {
        var fingerprints = TicketKeyFiles.Fingerprints(paths);
        if (TicketKeyFiles.Read(paths, out var number, out var problem) is not { } keys)
        {
            errors.Add(new ConfigError($"{errorPath}:{number}", problem!));
            return null;
        }

        change.OpenFiles.AddRange(paths.Where(TicketKeyFiles.IsOpenToAll));
        return Running(string.Join('\0', paths)) ?? new TicketKeyFiles(paths, keys, fingerprints);
    }

    private void Poll()
    {
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            foreach (var (key, ring) in _rings)
            {
                if (ring is RotatingTicketKeys rotating)
                {
                    rotating.Turn();
                }
                else if (((TicketKeyFiles)ring).Look(out var problem))
                {
                    Report(((string)key).Replace("\0", ", ", StringComparison.Ordinal), problem);
                }
            }

            Arm();
        }
    }

    /// <summary>For one look at a time: a slow file system must not make looks pile up.</summary>
    private void Arm()
    {
        var due = _rings.Count == 0 ? Timeout.InfiniteTimeSpan : _rings.Values.Any(ring => ring is TicketKeyFiles) ? PollInterval : s_turnInterval;
        _timer!.Change(due, Timeout.InfiniteTimeSpan);
    }

    private void Report(string files, string? problem)
    {
        if (problem is null)
        {
            LogSwapped(logger, files);
        }
        else
        {
            LogRefused(logger, problem);
        }
    }

    [LoggerMessage(EventIds.TicketKeysSwapped, LogLevel.Information, "Ticket keys reloaded from {Files}")]
    private static partial void LogSwapped(ILogger logger, string files);

    [LoggerMessage(EventIds.TicketKeysRefused, LogLevel.Warning, "New ticket keys are refused and the old ones stay: {Reason}")]
    private static partial void LogRefused(ILogger logger, string reason);

    [LoggerMessage(EventIds.TicketKeysOpenToAll, LogLevel.Warning, "Ticket keys in '{File}' can be read by every user of this machine, and with them the sessions of TLS 1.2")]
    private static partial void LogOpenToAll(ILogger logger, string file);
}
