using System.Runtime.Versioning;
using System.Text.Json;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Diagnostics.AccessLogs;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelStream.Tests.Diagnostics.AccessLogs;

[UnsupportedOSPlatform("windows")]
public sealed class AccessLogTests : IDisposable
{
    private const string Dropped = "kestrelstream_access_log_dropped_total";

    private readonly TempFolder _folder = new();
    private readonly TestProxy _proxy = new();
    private readonly RecordingLogger _logger = new();

    [Fact]
    public void Write_Off_DoesNothing()
    {
        using var log = CreateLog();
        log.Write(_proxy.Start());
        log.Apply(null, _folder.Path);
        log.Write(_proxy.Start());
        Assert.Empty(Directory.GetFiles(_folder.Path));
        Assert.Equal(0, DroppedCount);
    }

    [Fact]
    public void Write_RelativePath_GoesToTheFileInOrder()
    {
        const int Count = 500;
        using (var log = CreateLog())
        {
            log.Apply(Json("access.log"), _folder.Path);
            WriteSessions(log, Count);
        }

        Assert.Equal(Enumerable.Range(1, Count).Select(id => id.ToString("x")), Ids("access.log"));
        Assert.Equal(0, DroppedCount);
    }

    [Fact]
    public void Write_ExistingFile_IsAppendedTo()
    {
        _folder.Write("access.log", """{"id":"before"}""" + "\n");
        using (var log = CreateLog())
        {
            log.Apply(Json("access.log"), _folder.Path);
            WriteSessions(log, 1);
        }

        Assert.Equal(["before", "1"], Ids("access.log"));
    }

    [Fact]
    public void Write_NewFile_IsNotForEverybody()
    {
        using (var log = CreateLog())
        {
            log.Apply(Json("access.log"), _folder.Path);
            WriteSessions(log, 1);
        }

        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(_folder["access.log"]) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.GroupWrite));
    }

    [Fact]
    public async Task Write_FileCutMeanwhile_GoesOnAtItsEnd()
    {
        using (var log = CreateLog())
        {
            log.Apply(Json("access.log"), _folder.Path);
            WriteSessions(log, 10);
            await Wait.UntilAsync(() => File.Exists(_folder["access.log"]) && Ids("access.log").Length == 10, "the first records");

            // As logrotate's copytruncate does.
            File.WriteAllText(_folder["access.log"], "");
            WriteSessions(log, 1);
        }

        Assert.Equal(["b"], Ids("access.log"));
    }

    [Fact]
    public async Task Write_RunningLog_ReachesTheFileSoon()
    {
        using var log = CreateLog();
        log.Apply(Json("access.log"), _folder.Path);
        WriteSessions(log, 1);
        await Wait.UntilAsync(() => File.Exists(_folder["access.log"]) && Ids("access.log") is ["1"], "the record");
    }

    [Fact]
    public void Apply_OtherFile_LosesNothing()
    {
        using (var log = CreateLog())
        {
            log.Apply(Json("a.log"), _folder.Path);
            WriteSessions(log, 100);
            log.Apply(Json("b.log"), _folder.Path);
            WriteSessions(log, 100);
            log.Apply(null, _folder.Path);
            WriteSessions(log, 100);
            log.Apply(Json("a.log"), _folder.Path);
            WriteSessions(log, 100);
        }

        Assert.Equal(Enumerable.Range(1, 100).Concat(Enumerable.Range(301, 100)).Select(id => id.ToString("x")), Ids("a.log"));
        Assert.Equal(Enumerable.Range(101, 100).Select(id => id.ToString("x")), Ids("b.log"));
        Assert.Equal(0, DroppedCount);
    }

    [Fact]
    public void Apply_OtherFormatSameFile_KeepsOrderAndLines()
    {
        using (var log = CreateLog())
        {
            for (var i = 0; i < 10; i++)
            {
                log.Apply(new AccessLogConfig { Path = "access.log", Format = i % 2 == 0 ? AccessLogFormat.Json : AccessLogFormat.Text }, _folder.Path);
                WriteSessions(log, 10);
            }
        }

        var lines = File.ReadAllLines(_folder["access.log"]);
        Assert.Equal(100, lines.Length);
        for (var i = 0; i < lines.Length; i++)
        {
            Assert.Contains(i / 10 % 2 == 0 ? $"\"id\":\"{i + 1:x}\"" : $" id={i + 1:x} ", lines[i], StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Apply_WhileSessionsEnd_LosesNothing()
    {
        const int Threads = 4;
        const int Count = 1000;
        using (var log = CreateLog())
        {
            log.Apply(Json("access.log"), _folder.Path);
            var writing = Task.WhenAll(Enumerable.Range(0, Threads).Select(_ => Task.Run(() => WriteSessions(log, Count))));
            for (var i = 0; i < 20; i++)
            {
                log.Apply(Json(i % 2 == 0 ? "other.log" : "access.log"), _folder.Path);
                await Task.Yield();
            }

            await writing;
        }

        // Closing waits for the last writer, and no longer than its limit: on a busy machine those before it may need more.
        await Wait.UntilAsync(() => AllIds().Count >= Threads * Count, "all records");
        var ids = AllIds();
        Assert.Equal(Enumerable.Range(1, Threads * Count).Select(id => id.ToString("x")).Order(), ids.Order());
        Assert.Equal(0, DroppedCount);

        List<string> AllIds() => [.. new[] { "access.log", "other.log" }.Where(name => File.Exists(_folder[name])).SelectMany(Ids)];
    }

    [Fact]
    public void TryWrite_FullQueue_RefusesAtOnce()
    {
        // Opening a FIFO waits for a reader, who never comes: a target that is stuck from the start.
        var fifo = _folder["fifo"];
        MakeFifo(fifo);
        var writer = new AccessLogWriter(AccessLogPlan.Create(Json(fifo), _folder.Path), before: null, _proxy.Metrics, TimeProvider.System, _logger, capacity: 8);
        var record = AccessLogRecord.Of(_proxy.Start(), TimeSpan.Zero);
        var accepted = 0;

        for (var i = 0; i < 10_000; i++)
        {
            accepted += writer.TryWrite(record) ? 1 : 0;
        }

        // The thread has taken one batch of 64 KiB at most, and holds it.
        Assert.InRange(accepted, 8, 500);

        // Let the thread go.
        writer.Complete();
        using (var reader = new FileStream(fifo, FileMode.Open, FileAccess.Read))
        using (var text = new StreamReader(reader))
        {
            var lines = 0;
            while (text.ReadLine() is not null)
            {
                lines++;
            }

            Assert.Equal(accepted, lines);
        }

        writer.Dispose();
    }

    [Fact]
    public async Task Write_DiskFull_CountsAndWarnsOnceASecond()
    {
        using var log = CreateLog();
        log.Apply(Json("/dev/full"), _folder.Path);
        for (var batch = 1; batch <= 3; batch++)
        {
            WriteSessions(log, 10);
            await Wait.UntilAsync(() => DroppedCount == batch * 10, "the records to be lost");
        }

        var warning = Assert.Single(_logger.Events);
        Assert.Equal(EventIds.AccessLogDropped, warning.Id);
        Assert.Equal(LogLevel.Warning, warning.Level);
        Assert.StartsWith("10 access log records were lost at /dev/full: ", warning.Message, StringComparison.Ordinal);

        _proxy.Time.Advance(TimeSpan.FromSeconds(1.1));
        WriteSessions(log, 1);
        await Wait.UntilAsync(() => _logger.Events.Count == 2, "the next warning");
        Assert.StartsWith("21 access log records were lost", _logger.Events.Last().Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Write_LoggerThrows_GoesOn()
    {
        using var log = new AccessLog(_proxy.Table, _proxy.Metrics, TimeProvider.System, new ThrowingLogger());
        log.Apply(Json("logs/access.log"), _folder.Path);
        WriteSessions(log, 1);
        await Wait.UntilAsync(() => DroppedCount == 1, "the record to be lost");

        Directory.CreateDirectory(_folder["logs"]);
        WriteSessions(log, 1);
        await Wait.UntilAsync(() => File.Exists(_folder["logs", "access.log"]) && Ids("logs/access.log") is ["2"], "the next record");
    }

    [Fact]
    public async Task Write_FolderComesBack_Recovers()
    {
        using var log = CreateLog();
        log.Apply(Json("logs/access.log"), _folder.Path);
        WriteSessions(log, 1);
        await Wait.UntilAsync(() => DroppedCount == 1, "the record to be lost");

        Directory.CreateDirectory(_folder["logs"]);
        WriteSessions(log, 1);
        await Wait.UntilAsync(() => File.Exists(_folder["logs", "access.log"]) && Ids("logs/access.log") is ["2"], "the next record");
    }

    [Fact]
    public void Write_AfterDispose_CountsAsLost()
    {
        var log = CreateLog();
        log.Apply(Json("access.log"), _folder.Path);
        log.Dispose();
        WriteSessions(log, 1);
        Assert.Equal(1, DroppedCount);
    }

    [Fact]
    public void WhyNotWritable_Path_SaysWhatIsWrong()
    {
        _folder.Write("file.log", "");
        Assert.Null(AccessLogPlan.WhyNotWritable(Json("-"), _folder.Path));
        Assert.Null(AccessLogPlan.WhyNotWritable(Json("new.log"), _folder.Path));
        Assert.Null(AccessLogPlan.WhyNotWritable(Json("file.log"), _folder.Path));
        Assert.Null(AccessLogPlan.WhyNotWritable(Json("/dev/null"), _folder.Path));
        Assert.Equal("it is not the path of a file", AccessLogPlan.WhyNotWritable(Json("a\0b"), _folder.Path));
        Assert.Equal("it is not the path of a file", AccessLogPlan.WhyNotWritable(Json(""), _folder.Path));
        Assert.Equal("it is a folder", AccessLogPlan.WhyNotWritable(Json("."), _folder.Path));
        Assert.Equal($"the folder {_folder["none"]} does not exist", AccessLogPlan.WhyNotWritable(Json("none/new.log"), _folder.Path));
        Assert.Equal($"the folder {_folder["file.log"]} does not exist", AccessLogPlan.WhyNotWritable(Json("file.log/new.log"), _folder.Path));
        Assert.Equal(["file.log"], Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void WhyNotWritable_FolderIsReadOnly_SaysSo()
    {
        var folder = Directory.CreateDirectory(_folder["sealed"], UnixFileMode.UserRead | UnixFileMode.UserExecute).FullName;

        // Nothing is read-only to root.
        var expected = Environment.IsPrivilegedProcess ? null : $"the file does not exist, and the folder {folder} does not take a new one: permission denied";
        Assert.Equal(expected, AccessLogPlan.WhyNotWritable(Json("sealed/new.log"), _folder.Path));
        Assert.Empty(Directory.GetFileSystemEntries(folder));
    }

    public void Dispose()
    {
        _proxy.Dispose();
        _folder.Dispose();
    }

    private double DroppedCount => StreamProxyMetricsTests.Scrape(_proxy).Samples[Dropped];

    private static AccessLogConfig Json(string path) => new() { Path = path };

    private static void MakeFifo(string path)
    {
        using var mkfifo = System.Diagnostics.Process.Start("mkfifo", [path]);
        mkfifo.WaitForExit();
        Assert.Equal(0, mkfifo.ExitCode);
    }

    private AccessLog CreateLog() => new(_proxy.Table, _proxy.Metrics, _proxy.Time, new Logger<AccessLog>(new LoggerFactory([_logger])));

    private void WriteSessions(AccessLog log, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var session = _proxy.Start();
            _proxy.End(session, SessionEndReason.Completed);
            log.Write(session);
        }
    }

    private string[] Ids(string file)
    {
        var ids = new List<string>();
        foreach (var line in File.ReadAllLines(_folder[file]))
        {
            using var json = JsonDocument.Parse(line);
            ids.Add(json.RootElement.GetProperty("id").GetString()!);
        }

        return [.. ids];
    }

    private sealed class ThrowingLogger : ILogger<AccessLog>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => throw new InvalidOperationException("A provider is broken.");
    }
}
