using KestrelStream.Configuration;
using KestrelStream.Sessions;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>
/// Records of sessions: at the end of each and, by config, at its start and while it goes on. Never blocks a session: records wait in a bounded queue for a
/// thread of the log's own, and what does not fit is dropped and counted. One for the proxy; thread-safe, except that one thread applies configurations.
/// </summary>
internal sealed class AccessLog(SessionTable sessions, StreamProxyMetrics metrics, TimeProvider time, ILogger<AccessLog> logger) : IDisposable
{
    private volatile AccessLogWriter? _writer;
    private volatile Action<StreamSession>? _onConnected;

    // Of the writers so far; it may still be writing what was queued when the log was switched off.
    private AccessLogWriter? _latest;
    private AccessLogConfig? _config;
    private string? _basePath;
    private IntervalRecords? _intervals;

    /// <summary>What sessions that begin now are to keep.</summary>
    public SessionTraceNeeds Needs => _writer?.Plan.Needs ?? SessionTraceNeeds.None;

    /// <summary>For the trace of sessions that begin now; null = no records of a start.</summary>
    public Action<StreamSession>? OnConnected => _onConnected;

    /// <summary>The session has ended. One volatile read when it is off.</summary>
    public void Write(StreamSession session)
    {
        if (_writer is not { } writer)
        {
            return;
        }

        if (session.Trace is { } trace && writer.Plan.Config.Interval is not null)
        {
            lock (trace)
            {
                trace.HasEnded = true;
                Write(writer, session, AccessLogEvent.End);
            }
        }
        else
        {
            Write(writer, session, AccessLogEvent.End);
        }
    }

    /// <summary>Switches to what a start or reload says. Records that are queued still go where they were meant to.</summary>
    /// <param name="config">Null = off. Valid.</param>
    /// <param name="basePath">Folder that a relative path starts from.</param>
    public void Apply(AccessLogConfig? config, string basePath)
    {
        if (AreSame(config, _config) && basePath == _basePath)
        {
            return;
        }

        var before = _latest;
        _writer = config is null ? null : _latest = new AccessLogWriter(AccessLogPlan.Create(config, basePath), before, metrics, time, logger);
        _onConnected = config is { Start: true } ? WriteStart : null;
        _config = config;
        _basePath = basePath;
        before?.Complete();
        _intervals?.Dispose();
        _intervals = config?.Interval is { } interval ? new IntervalRecords(sessions, interval, WriteInterval, time) : null;
    }

    /// <summary>Somebody has moved the file away: from now on a new one is written.</summary>
    public void Reopen() => _writer?.Reopen();

    /// <summary>Writes what is queued. Records that come later are lost.</summary>
    public void Dispose()
    {
        _intervals?.Dispose();
        _latest?.Dispose();
    }

    /// <summary>Records compare their lists as objects.</summary>
    private static bool AreSame(AccessLogConfig? one, AccessLogConfig? other)
        => one == other || (one is not null && other is not null && one.If.Count == 0 && other.If.Count == 0 && one with { If = other.If } == other);

    private void WriteStart(StreamSession session)
    {
        if (_writer is { } writer)
        {
            Write(writer, session, AccessLogEvent.Start);
        }
    }

    private void WriteInterval(StreamSession session)
    {
        if (_writer is { } writer)
        {
            Write(writer, session, AccessLogEvent.Interval);
        }
    }

    private void Write(AccessLogWriter writer, StreamSession session, AccessLogEvent logEvent)
    {
        var duration = time.GetElapsedTime(session.StartTimestamp);
        if (!writer.Plan.Filter.Takes(session, logEvent, duration))
        {
            return;
        }

        var record = AccessLogRecord.Of(session, duration, logEvent);
        while (!writer.TryWrite(record))
        {
            var next = _writer;
            if (next is null || next == writer)
            {
                writer.CountDropped();
                return;
            }

            // A reload came between.
            writer = next;
        }
    }
}
