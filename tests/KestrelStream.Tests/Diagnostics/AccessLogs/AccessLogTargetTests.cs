using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using System.Text.RegularExpressions;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics.AccessLogs;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.Tests.Diagnostics.AccessLogs;

[UnsupportedOSPlatform("windows")]
public sealed partial class AccessLogTargetTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void File_WouldGrowTooLarge_IsSetAsideAndTheOldestGoes()
    {
        using var target = new FileTarget(_folder["a.log"], new AccessLogRotateConfig { MaxBytes = 10, Keep = 2 }, _time);
        for (var i = 1; i <= 4; i++)
        {
            Assert.Equal(0, Write(target, $"line {i}\n"));
        }

        Assert.Equal(["a.log", "a.log.1", "a.log.2"], Files());
        Assert.Equal("line 4\n", File.ReadAllText(_folder["a.log"]));
        Assert.Equal("line 3\n", File.ReadAllText(_folder["a.log.1"]));
        Assert.Equal("line 2\n", File.ReadAllText(_folder["a.log.2"]));
        Assert.Null(target.TakeWarning());
    }

    [Fact]
    public void File_NextTurnHasCome_IsSetAside()
    {
        using var target = new FileTarget(_folder["a.log"], new AccessLogRotateConfig { Every = TimeSpan.FromDays(1) }, _time);
        Write(target, "1\n");
        _time.Advance(TimeSpan.FromHours(23));
        Write(target, "2\n");
        _time.Advance(TimeSpan.FromHours(2));
        Write(target, "3\n");
        Write(target, "4\n");

        Assert.Equal("1\n2\n", File.ReadAllText(_folder["a.log.1"]));
        Assert.Equal("3\n4\n", File.ReadAllText(_folder["a.log"]));
        Assert.Equal(["a.log", "a.log.1"], Files());
    }

    [Fact]
    public void File_OfAnEarlierTurn_IsSetAsideByTheFirstLine()
    {
        File.SetLastWriteTimeUtc(_folder.Write("a.log", "old\n"), _time.GetUtcNow().UtcDateTime.AddDays(-2));
        using var target = new FileTarget(_folder["a.log"], new AccessLogRotateConfig { Every = TimeSpan.FromDays(1) }, _time);
        Write(target, "new\n");
        Assert.Equal("old\n", File.ReadAllText(_folder["a.log.1"]));
        Assert.Equal("new\n", File.ReadAllText(_folder["a.log"]));
    }

    [Fact]
    public void File_CannotBeSetAside_GrowsOnAndSaysSo()
    {
        Directory.CreateDirectory(_folder["a.log.1", "in the way"]);
        using var target = new FileTarget(_folder["a.log"], new AccessLogRotateConfig { MaxBytes = 5, Keep = 1 }, _time);
        Assert.Equal(0, Write(target, "line 1\n"));
        Assert.Equal(0, Write(target, "line 2\n"));
        Assert.Equal("line 1\nline 2\n", File.ReadAllText(_folder["a.log"]));
        Assert.NotNull(target.TakeWarning());
        Assert.Null(target.TakeWarning());
    }

    [Fact]
    public void File_Closed_IsOpenedAnewByTheNextLine()
    {
        using var target = new FileTarget(_folder["a.log"], rotate: null, _time);
        Write(target, "1\n");
        File.Move(_folder["a.log"], _folder["moved.log"]);
        Write(target, "2\n");
        target.Close();
        Write(target, "3\n");
        Assert.Equal("1\n2\n", File.ReadAllText(_folder["moved.log"]));
        Assert.Equal("3\n", File.ReadAllText(_folder["a.log"]));
    }

    [Fact]
    public async Task Syslog_Udp_GetsOneMessageALine()
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using var target = new SyslogTarget(new AccessLogSyslogConfig { Address = $"udp:{server.LocalEndPoint}", Tag = "edge" }, _time);

        Assert.Equal(0, target.Write("{\"id\":\"1\"}\n{\"id\":\"2\"}\n"u8, 2, out _));
        await AssertMessageAsync(server, "{\"id\":\"1\"}");
        await AssertMessageAsync(server, "{\"id\":\"2\"}");
    }

    [Fact]
    public async Task Syslog_UnixSocket_GetsOneMessageALine()
    {
        using var server = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        server.Bind(new UnixDomainSocketEndPoint(_folder["log"]));
        using var target = new SyslogTarget(new AccessLogSyslogConfig { Address = "unix:" + _folder["log"], Tag = "edge" }, _time);

        Assert.Equal(0, target.Write("a=b\n"u8, 1, out _));
        await AssertMessageAsync(server, "a=b");
    }

    [Fact]
    public void Syslog_NobodyThere_LosesLinesAndComesBack()
    {
        using var target = new SyslogTarget(new AccessLogSyslogConfig { Address = "unix:" + _folder["log"] }, _time);
        Assert.Equal(2, target.Write("1\n2\n"u8, 2, out var error));
        Assert.NotNull(error);

        using var server = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        server.Bind(new UnixDomainSocketEndPoint(_folder["log"]));
        Assert.Equal(0, target.Write("3\n"u8, 1, out _));
    }

    [Theory]
    [InlineData("udp:127.0.0.1:514", true)]
    [InlineData("udp:[::1]:514", true)]
    [InlineData("udp:logs.example.com:514", true)]
    [InlineData("unix:/dev/log", true)]
    [InlineData("tcp:127.0.0.1:514", false)]
    [InlineData("udp:127.0.0.1", false)]
    [InlineData("udp:unix:/dev/log", false)]
    [InlineData("unix:dev/log", false)]
    [InlineData("", false)]
    public void SyslogAddress_Text_IsOneOrNot(string text, bool expected) => Assert.Equal(expected, SyslogAddress.TryParse(text, out _));

    public void Dispose() => _folder.Dispose();

    private static int Write(AccessLogTarget target, string lines) => target.Write(Encoding.ASCII.GetBytes(lines), lines.Count(c => c == '\n'), out _);

    private string[] Files() => [.. Directory.GetFiles(_folder.Path).Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal)];

    private static async Task AssertMessageAsync(Socket server, string line)
    {
        var buffer = new byte[4096];
        using var late = new CancellationTokenSource(Wait.Limit);
        var count = await server.ReceiveAsync(buffer, late.Token);
        var message = Encoding.ASCII.GetString(buffer, 0, count);
        Assert.Matches(Message(), message);
        Assert.EndsWith(" - " + line, message, StringComparison.Ordinal);
    }

    // local0.info, version, time, host, tag, process, message id, no structured data (RFC 5424 §6).
    [GeneratedRegex(@"^<134>1 2030-01-01T00:00:00\.000Z \S+ edge \d+ session - \S+$")]
    private static partial Regex Message();
}
