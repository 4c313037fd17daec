using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Health.Checks;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.Tests.Health.Checks;

/// <summary>What a peer says, byte by byte, and what is made of it.</summary>
public sealed class ProbeAnswerTests
{
    private static readonly ActiveHealthCheckConfig Short = new() { Timeout = TimeSpan.FromMilliseconds(300) };

    private static readonly Dictionary<HealthCheckKind, ActiveHealthCheckConfig> Checks = new()
    {
        [HealthCheckKind.Http] = Short with { Kind = HealthCheckKind.Http },
        [HealthCheckKind.PostgreSql] = Short with { Kind = HealthCheckKind.PostgreSql },
        [HealthCheckKind.MySql] = Short with { Kind = HealthCheckKind.MySql },
        [HealthCheckKind.Redis] = Short with { Kind = HealthCheckKind.Redis },
        [HealthCheckKind.Smtp] = Short with { Kind = HealthCheckKind.Smtp },
    };

    /// <summary>Kind, what the peer says (Latin-1) before it ends, result, part of the detail.</summary>
    public static TheoryData<HealthCheckKind, string, string, string> Answers => new()
    {
        { HealthCheckKind.Http, "HTTP/1.1 200 OK\r\n\r\n", "healthy", "HTTP/1.1 200 OK" },
        { HealthCheckKind.Http, "HTTP/1.0 302\r\nLocation: /x\r\n\r\n", "healthy", "HTTP/1.0 302" },
        { HealthCheckKind.Http, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", "healthy", "204" },
        { HealthCheckKind.Http, "HTTP/1.1 404 Not Found\r\n\r\n", "protocol", "unexpected status: HTTP/1.1 404 Not Found" },
        { HealthCheckKind.Http, "HTTP/1.1 20 OK\r\n\r\n", "protocol", "not HTTP/1" },
        { HealthCheckKind.Http, "HTTP/1.1 2000 OK\r\n\r\n", "protocol", "not HTTP/1" },
        { HealthCheckKind.Http, "HTTP/1.1 200 OK\r\nHalf: ", "protocol", "before the head" },
        { HealthCheckKind.Http, "SSH-2.0-OpenSSH_9.2\r\n", "protocol", "not HTTP/1: S" },
        { HealthCheckKind.Http, "", "protocol", "ended before the head" },
        { HealthCheckKind.PostgreSql, "R\0\0\0\u0017\0\0\0\nSCRAM-SHA-256\0\0", "healthy", "authentication request 10" },
        { HealthCheckKind.PostgreSql, "R\0\0\0\b\0\0\0\0S\0\0\0\u0008a\0b\0Z\0\0\0\u0005I", "healthy", "ready for query" },
        { HealthCheckKind.PostgreSql, "E\0\0\0\u001fSFATAL\0C28P01\0Mwrong name\0\0", "healthy", "28P01 wrong name" },
        { HealthCheckKind.PostgreSql, "E\0\0\0\u001dSFATAL\0C57P03\0Mstarting\0\0", "protocol", "57P03 starting" },
        { HealthCheckKind.PostgreSql, "R\0\0\0\b\0\0\0\0E\0\0\0\u001dSFATAL\0C53300\0Mtoo many\0\0", "protocol", "53300 too many" },
        { HealthCheckKind.PostgreSql, "E\0\0\0\u0006M\0", "protocol", "" },
        { HealthCheckKind.PostgreSql, "R\0\0\0\u0017\0\0", "protocol", "ended before" },
        { HealthCheckKind.PostgreSql, "R\u007f\0\0\0\0\0\0\n", "protocol", "not PostgreSQL" },
        { HealthCheckKind.PostgreSql, "HTTP/1.1 400 Bad Request\r\n\r\n", "protocol", "not PostgreSQL: HTTP/" },
        { HealthCheckKind.MySql, "\u000f\0\0\0\n8.0.41\0abcdefg", "healthy", "8.0.41" },
        { HealthCheckKind.MySql, "\u0017\0\0\0\u00ff\u0010\u0004Too many connections", "protocol", "error 1040: Too many connections" },
        { HealthCheckKind.MySql, "\u0005\0\0\0\t4.0\0", "protocol", "not a MySQL greeting" },
        { HealthCheckKind.MySql, "\u0005\0\0\u0001\n4.0\0", "protocol", "not a MySQL greeting" },
        { HealthCheckKind.MySql, "\u0004\0\0\0\n4.0", "protocol", "not a MySQL greeting" },
        { HealthCheckKind.MySql, "\u000f\0\0\0\n8.0.41\0", "protocol", "within the greeting" },
        { HealthCheckKind.MySql, "\0\0\0\0\n", "protocol", "not a MySQL greeting" },
        { HealthCheckKind.Redis, "+PONG\r\n", "healthy", "+PONG" },
        { HealthCheckKind.Redis, "-NOAUTH Authentication required.\r\n", "healthy", "-NOAUTH" },
        { HealthCheckKind.Redis, "-LOADING Redis is loading the dataset in memory\r\n", "protocol", "not +PONG: -LOADING" },
        { HealthCheckKind.Redis, "+PONGO\r\n", "protocol", "not +PONG: +PONGO" },
        { HealthCheckKind.Redis, "\u001b[31m\u0007\r\n", "protocol", "\\x1b[31m\\x07" },
        { HealthCheckKind.Redis, "", "protocol", "not +PONG" },
        { HealthCheckKind.Smtp, "220-hi\r\n220 mail.example.com ESMTP\r\n250-mail\r\n250 HELP\r\n221 bye\r\n", "healthy", "220 mail.example.com ESMTP" },
        { HealthCheckKind.Smtp, "220 mail\r\n502 no\r\n", "protocol", "EHLO was not answered with 250: 502 no" },
        { HealthCheckKind.Smtp, "554 no service\r\n", "protocol", "no banner 220: 554 no service" },
        { HealthCheckKind.Smtp, "220-hi\r\n", "protocol", "no banner 220" },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task Probe_AnswerThenEnd_IsJudgedTheSameHoweverItIsCut(HealthCheckKind kind, string answer, string result, string detail)
    {
        foreach (var byteByByte in new[] { false, true })
        {
            var report = await CheckRun.AgainstAsync(CheckRun.Says(Encoding.Latin1.GetBytes(answer), byteByByte, closes: true), Checks[kind]);

            Assert.Equal(result, CheckResults.NameOf(report.Result));
            Assert.Contains(detail, report.Detail, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(HealthCheckKind.Http, "HTTP/1.1 200 OK\r\n")]
    [InlineData(HealthCheckKind.PostgreSql, "R\0\0\0")]
    [InlineData(HealthCheckKind.MySql, "\u000f\0\0\0\n")]
    [InlineData(HealthCheckKind.Redis, "+PON")]
    [InlineData(HealthCheckKind.Smtp, "220 mail\r\n")]
    public async Task Probe_HalfAnAnswerThenSilence_TimesOutAndShowsWhatCame(HealthCheckKind kind, string answer)
    {
        // Long enough to connect on a busy machine.
        var report = await CheckRun.AgainstAsync(CheckRun.Says(Encoding.Latin1.GetBytes(answer)), Checks[kind] with { Timeout = TimeSpan.FromSeconds(1.5) });

        Assert.Equal(CheckResult.Timeout, report.Result);
        Assert.StartsWith("no answer within 1.5 s", report.Detail, StringComparison.Ordinal);
        Assert.InRange(report.Elapsed.TotalSeconds, 1.4, 20);
    }

    [Theory]
    [InlineData(HealthCheckKind.Http)]
    [InlineData(HealthCheckKind.PostgreSql)]
    [InlineData(HealthCheckKind.MySql)]
    [InlineData(HealthCheckKind.Redis)]
    [InlineData(HealthCheckKind.Smtp)]
    public async Task Probe_AnswerWithoutEnd_IsBounded(HealthCheckKind kind)
    {
        var flood = new byte[1 << 20];
        Array.Fill(flood, (byte)'x');
        var report = await CheckRun.AgainstAsync(
            async socket =>
            {
                try
                {
                    await CheckRun.Says(flood)(socket);
                }
                catch (System.Net.Sockets.SocketException)
                {
                    // The check has seen enough.
                }
            },
            Checks[kind] with { Timeout = TimeSpan.FromSeconds(20) });

        Assert.Equal(CheckResult.Protocol, report.Result);
        Assert.InRange(report.Detail.Length, 1, 300);
    }

    [Theory]
    [InlineData("Content-Length: 11\r\n", "status: ok!", "healthy")]
    [InlineData("Content-Length: 5\r\n", "nope!ok", "protocol")]
    [InlineData("Transfer-Encoding: chunked\r\n", "4\r\nis o\r\n2;x=y\r\nk!\r\n0\r\n\r\n", "healthy")]
    [InlineData("Transfer-Encoding: chunked\r\n", "4\r\nis \r\n\r\n0\r\n\r\n", "protocol")]
    [InlineData("Transfer-Encoding: chunked\r\n", "zz\r\nis ok\r\n", "protocol")]
    [InlineData("", "it is ok", "healthy")]
    [InlineData("", "it is not", "protocol")]
    public async Task Http_Body_IsSearched(string header, string body, string result)
    {
        var answer = Encoding.Latin1.GetBytes($"HTTP/1.1 200 OK\r\n{header}\r\n{body}");
        foreach (var byteByByte in new[] { false, true })
        {
            var report = await CheckRun.AgainstAsync(
                CheckRun.Says(answer, byteByByte, closes: header.Length == 0), Checks[HealthCheckKind.Http] with { ExpectBody = "ok", Timeout = TimeSpan.FromSeconds(20) });

            Assert.Equal(result, CheckResults.NameOf(report.Result));
        }
    }

    [Theory]
    [InlineData("healthy", "+PONG\r\n", "+PONG")]
    [InlineData("healthy", "+PONG\r\n", "~^\\+P[NO]+G")]
    [InlineData("healthy", "abc\0\u00ffdef", "\\x00\\xffd")]
    [InlineData("protocol", "-ERR\r\n", "+PONG")]
    [InlineData("healthy", "+PONG\r\n", "!-ERR")]
    [InlineData("protocol", "-ERR no\r\n", "!-ERR")]
    [InlineData("protocol", "-ERR no", "!~^-ERR")]
    [InlineData("healthy", "fine", "!-ERR")]
    [InlineData("protocol", "", "!-ERR")]
    [InlineData("protocol", "", "~.*")]
    public async Task SendExpect_OneExpectation_IsJudged(string result, string answer, string expect)
    {
        foreach (var byteByByte in new[] { false, true })
        {
            var report = await CheckRun.AgainstAsync(
                CheckRun.Says(Encoding.Latin1.GetBytes(answer), byteByByte, closes: true), SendExpect(new HealthCheckStep { Expect = expect }));

            Assert.Equal(result, CheckResults.NameOf(report.Result));
        }
    }

    [Fact]
    public async Task SendExpect_Dialogue_ExpectsEachStepBehindTheOneBefore()
    {
        var asked = "";
        var config = SendExpect(
            new() { Expect = "~^220 " }, new() { Send = "HELO x\\r\\n" }, new() { Expect = "250" }, new() { Send = "\\x51UIT\r\n" }, new() { Expect = "!5" }, new() { Expect = "221" });
        var report = await CheckRun.AgainstAsync(
            async socket =>
            {
                await socket.SendAllAsync("220 250 221 ok\r\n"u8.ToArray());
                asked = Encoding.ASCII.GetString(await socket.ReceiveExactlyAsync(8 + 6));
                await socket.SendAllAsync("250 hi\r\n221 bye\r\n"u8.ToArray());
                await CheckRun.DrainAsync(socket);
            },
            config);

        // "250" is found in the banner, and the line without a 5 is the rest of it.
        Assert.Equal(CheckResult.Healthy, report.Result);
        Assert.Equal("HELO x\r\nQUIT\r\n", asked);
    }

    private static ActiveHealthCheckConfig SendExpect(params HealthCheckStep[] steps)
        => Short with { Kind = HealthCheckKind.SendExpect, Steps = steps, Timeout = TimeSpan.FromSeconds(20) };
}
