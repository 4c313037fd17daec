using System.Buffers;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>
/// The queue and the thread of one access log target. A thread rather than the pool: a full disk or a stuck reader of standard output then
/// holds nothing but it. Made and completed by <see cref="AccessLog"/>; any number of sessions write.
/// </summary>
internal sealed partial class AccessLogWriter : IDisposable
{
    /// <summary>At 50,000 sessions a second a third of a second of stuck disk; 4 MB when full.</summary>
    public const int DefaultCapacity = 16 * 1024;

    private const int BatchBytes = 64 * 1024;

    /// <summary>Between two batches: under load one wake-up and one write for many records, where each would cost a session more than its record does.</summary>
    private static readonly TimeSpan BatchPause = TimeSpan.FromMilliseconds(50);

    /// <summary>Longest wait for a target that does not take what is queued.</summary>
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(1);

    private readonly StreamProxyMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly AccessLogQueue _queue;
    private readonly ArrayBufferWriter<byte> _lines = new(BatchBytes);
    private readonly AccessLogFormatter _formatter;
    private readonly ManualResetEventSlim _isEnding = new();
    private readonly Thread _thread;
    private long? _lastReport;
    private int _unreported;
    private int _isToReopen;

    /// <param name="plan">Where the lines go, and their form.</param>
    /// <param name="before">Ends first: it may have the same file.</param>
    /// <param name="metrics">Counts what is lost.</param>
    /// <param name="time">For the rate of warnings.</param>
    /// <param name="logger">Gets them.</param>
    /// <param name="capacity">Most records that wait.</param>
    public AccessLogWriter(
        AccessLogPlan plan, AccessLogWriter? before, StreamProxyMetrics metrics, TimeProvider time, ILogger logger, int capacity = DefaultCapacity)
    {
        Plan = plan;
        _metrics = metrics;
        _time = time;
        _logger = logger;
        _queue = new AccessLogQueue(capacity);
        _formatter = AccessLogFormatter.Create(plan.Config.Format, plan.Template, _lines);
        _thread = new Thread(() => Run(before)) { IsBackground = true, Name = "Access log" };
        _thread.Start();
    }

    public AccessLogPlan Plan { get; }

    /// <summary>False = it is full or completed.</summary>
    public bool TryWrite(AccessLogRecord record) => _queue.TryAdd(record);

    /// <summary>A record did not fit.</summary>
    public void CountDropped()
    {
        _metrics.AccessLogDropped(1);
        Interlocked.Increment(ref _unreported);
    }

    /// <summary>Lets go of the file: somebody has moved it away. The next line goes to a new one of the same name.</summary>
    public void Reopen()
    {
        Volatile.Write(ref _isToReopen, 1);
        _queue.Wake();
    }

    /// <summary>No more records. What is queued is still written.</summary>
    public void Complete()
    {
        _queue.Complete();
        _isEnding.Set();
    }

    /// <summary>Waits until what is queued is written, unless the target does not take it.</summary>
    public void Dispose()
    {
        Complete();
        WaitForEnd();
    }

    private void WaitForEnd() => _thread.Join(CloseTimeout);

    private void Run(AccessLogWriter? before)
    {
        before?.WaitForEnd();
        using var target = Plan.CreateTarget(_time);
        while (!_queue.IsOver)
        {
            _queue.Wait();
            if (Interlocked.Exchange(ref _isToReopen, 0) != 0)
            {
                target.Close();
            }

            WriteQueued(target);
            Report("the queue was full");
            if (target.TakeWarning() is { } warning)
            {
                Try(() => LogNotRotated(_logger, Plan.Path, warning));
            }

            _isEnding.Wait(BatchPause);
        }
    }

    private void WriteQueued(AccessLogTarget target)
    {
        var records = 0;
        while (_queue.TryTake(out var record))
        {
            _formatter.Format(record);
            records++;
            if (_lines.WrittenCount >= BatchBytes)
            {
                WriteLines(target, records);
                records = 0;
            }
        }

        if (records > 0)
        {
            WriteLines(target, records);
        }
    }

    private void WriteLines(AccessLogTarget target, int records)
    {
        var lost = target.Write(_lines.WrittenSpan, records, out var error);
        _lines.ResetWrittenCount();
        if (lost > 0)
        {
            _metrics.AccessLogDropped(lost);
            Interlocked.Add(ref _unreported, lost);
            Report(error!);
        }
    }

    private void Report(string why)
    {
        if (Volatile.Read(ref _unreported) == 0 || (_lastReport is { } last && _time.GetElapsedTime(last) < ReportInterval))
        {
            return;
        }

        _lastReport = _time.GetTimestamp();
        Try(() => LogDropped(_logger, Interlocked.Exchange(ref _unreported, 0), Plan.Path, why));
    }

    /// <summary>A logging provider that throws would end the process: nobody is above this thread.</summary>
    private static void Try(Action log)
    {
        try
        {
            log();
        }
        catch (Exception)
        {
            // It has nobody to tell.
        }
    }

    [LoggerMessage(EventIds.AccessLogDropped, LogLevel.Warning, "{Records} access log records were lost at {Path}: {Reason}")]
    private static partial void LogDropped(ILogger logger, int records, string path, string reason);

    [LoggerMessage(EventIds.AccessLogNotRotated, LogLevel.Warning, "The access log {Path} cannot be set aside and goes on growing: {Reason}")]
    private static partial void LogNotRotated(ILogger logger, string path, string reason);
}
