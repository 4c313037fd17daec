using System.Text.Json;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics.AccessLogs;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelStream.Tests.Diagnostics.AccessLogs;

/// <summary>Records of sessions that run.</summary>
public sealed class AccessLogEventTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly TestProxy _proxy = new();

    [Fact]
    public void Start_Configured_IsWrittenWhenTheRelayBegins()
    {
        using (var log = CreateLog(new AccessLogConfig { Path = "a.log", Start = true }))
        {
            var session = Begin(log);
            session.Route = _proxy.Route("app1");
            _proxy.Time.Advance(TimeSpan.FromMilliseconds(5));
            session.EnterRelay();
            session.CountIn(7);
            _proxy.Time.Advance(TimeSpan.FromMilliseconds(3));
            session.CountOut(9);
            End(log, session);
        }

        var records = Records("a.log");
        Assert.Equal(["start", "end"], records.Select(record => record.GetProperty("event").GetString()));
        Assert.Equal("app1", records[0].GetProperty("route").GetString());
        Assert.False(records[0].TryGetProperty("end_reason", out _));
        Assert.False(records[0].TryGetProperty("first_byte_in_at_ms", out _));
        Assert.Equal(5, records[1].GetProperty("connected_at_ms").GetDouble(), 3);
        Assert.Equal(5, records[1].GetProperty("first_byte_in_at_ms").GetDouble(), 3);
        Assert.Equal(8, records[1].GetProperty("first_byte_out_at_ms").GetDouble(), 3);
        Assert.Equal(records[0].GetProperty("id").GetString(), records[1].GetProperty("id").GetString());
    }

    [Fact]
    public void Interval_LongSession_IsWrittenAgainAndAgainAndNeverAfterTheEnd()
    {
        using (var log = CreateLog(new AccessLogConfig { Path = "a.log", Interval = TimeSpan.FromSeconds(10) }))
        {
            var session = Begin(log);
            session.CountIn(1);
            _proxy.Time.Advance(TimeSpan.FromSeconds(9));
            _proxy.Time.Advance(TimeSpan.FromSeconds(2));
            session.CountIn(1);
            _proxy.Time.Advance(TimeSpan.FromSeconds(10));
            log.Write(session);
            _proxy.Time.Advance(TimeSpan.FromSeconds(30));
        }

        var records = Records("a.log");
        Assert.Equal(["interval", "interval", "end"], records.Select(record => record.GetProperty("event").GetString()));
        Assert.Equal([1, 2, 2], records.Select(record => record.GetProperty("bytes_in").GetInt64()));
    }

    [Fact]
    public void Needs_Log_AskOnlyForWhatItWrites()
    {
        using var log = CreateLog(new AccessLogConfig { Path = "a.log" });
        Assert.Equal(SessionTraceNeeds.Times | SessionTraceNeeds.AlpnOffered, log.Needs);
        Assert.Null(log.OnConnected);
        log.Apply(new AccessLogConfig { Path = "a.log", Ja4 = true, TcpInfo = true }, _folder.Path);
        Assert.Equal(SessionTraceNeeds.Times | SessionTraceNeeds.AlpnOffered | SessionTraceNeeds.Ja4 | SessionTraceNeeds.TcpInfo, log.Needs);
        log.Apply(new AccessLogConfig { Path = "a.log", Format = AccessLogFormat.Text, Template = "{client}" }, _folder.Path);
        Assert.Equal(SessionTraceNeeds.None, log.Needs);
        log.Apply(null, _folder.Path);
        Assert.Equal(SessionTraceNeeds.None, log.Needs);
    }

    [Fact]
    public async Task Reopen_FileMoved_WritesANewOne()
    {
        using var log = CreateLog(new AccessLogConfig { Path = "a.log" });
        End(log, Begin(log));
        await Wait.UntilAsync(() => File.Exists(_folder["a.log"]) && File.ReadAllText(_folder["a.log"]).Length > 0, "the first record");
        File.Move(_folder["a.log"], _folder["b.log"]);
        log.Reopen();
        End(log, Begin(log));
        await Wait.UntilAsync(() => File.Exists(_folder["a.log"]) && Records("a.log").Length == 1, "the record in the new file");
        Assert.Single(Records("b.log"));
    }

    public void Dispose()
    {
        _proxy.Dispose();
        _folder.Dispose();
    }

    private AccessLog CreateLog(AccessLogConfig config)
    {
        var log = new AccessLog(_proxy.Table, _proxy.Metrics, _proxy.Time, NullLogger<AccessLog>.Instance);
        log.Apply(config, _folder.Path);
        return log;
    }

    private StreamSession Begin(AccessLog log)
        => _proxy.Start(trace: started => new SessionTrace(log.Needs, _proxy.Time, started) { OnConnected = log.OnConnected });

    private void End(AccessLog log, StreamSession session)
    {
        _proxy.End(session);
        log.Write(session);
    }

    private JsonElement[] Records(string file) => [.. File.ReadAllLines(_folder[file]).Select(line => JsonDocument.Parse(line).RootElement)];
}
