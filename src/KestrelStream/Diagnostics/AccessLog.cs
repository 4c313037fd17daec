using KestrelStream.Configuration;
using KestrelStream.Sessions;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Diagnostics;

/// <summary>
/// One record a session, at its end. Never blocks a session: records wait in a bounded queue for a thread of the log's own, and what does not
/// fit is dropped and counted. One for the proxy; thread-safe, except that one thread applies configurations.
/// </summary>
internal sealed class AccessLog(StreamProxyMetrics metrics, TimeProvider time, ILogger<AccessLog> logger) : IDisposable
{
    private volatile AccessLogWriter? _writer;

    // Of the writers so far; it may still be writing what was queued when the log was switched off.
    private AccessLogWriter? _latest;
    private AccessLogConfig? _config;
    private string? _path;

    /// <summary>One volatile read when it is off.</summary>
    public void Write(StreamSession session)
    {
        if (_writer is { } writer)
        {
            Write(writer, AccessLogRecord.Of(session, time.GetElapsedTime(session.StartTimestamp)));
        }
    }

    /// <summary>Switches to what a start or reload says. Records that are queued still go where they were meant to.</summary>
    /// <param name="config">Null = off.</param>
    /// <param name="basePath">Folder that a relative path starts from.</param>
    public void Apply(AccessLogConfig? config, string basePath)
    {
        var path = config is null ? null : FullPath(config, basePath);
        if (config == _config && path == _path)
        {
            return;
        }

        var before = _latest;
        _writer = config is null ? null : _latest = new AccessLogWriter(path!, config.Format, before, metrics, time, logger);
        _config = config;
        _path = path;
        before?.Complete();
    }

    /// <summary>Why a log cannot go to a path; null = it can. Nothing is opened or created.</summary>
    /// <param name="config">A config with a path.</param>
    /// <param name="basePath">Folder that a relative path starts from.</param>
    public static string? WhyNotWritable(AccessLogConfig config, string basePath)
        => config.Path.Length == 0 || config.Path.Contains('\0') ? "it is not the path of a file" : AccessLogPath.WhyNotWritable(FullPath(config, basePath));

    /// <summary>Writes what is queued. Records that come later are lost.</summary>
    public void Dispose() => _latest?.Dispose();

    private static string FullPath(AccessLogConfig config, string basePath)
        => config.Path == AccessLogTarget.StandardOutput ? config.Path : Path.GetFullPath(config.Path, Path.GetFullPath(basePath));

    private void Write(AccessLogWriter writer, in AccessLogRecord record)
    {
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
