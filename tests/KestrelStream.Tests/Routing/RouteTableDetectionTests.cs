using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Model;
using KestrelStream.Routing;
using KestrelStream.Tests.Preread.Detection;
using Xunit;
using static KestrelStream.Tests.Routing.RouteTableBuilder;

namespace KestrelStream.Tests.Routing;

/// <summary>Which route takes bytes that are not TLS, and when that is known.</summary>
public class RouteTableDetectionTests
{
    private static readonly RouteModel[] Routes =
    [
        Route("rest"),
        Route("tls", ["a.test"]),
        Route("web", protocols: [ClientProtocol.Http1, ClientProtocol.Http2]),
        Route("ssh", protocols: [ClientProtocol.Ssh, ClientProtocol.ServerFirst]),
        Route("pg", protocols: [ClientProtocol.PostgreSql]),
        Route("smtp", firstBytes: ["text:EHLO ", "text:HELO "]),
        Route("admin", protocols: [ClientProtocol.Http1], firstBytes: ["text:GET /admin"]),
    ];

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n", "web")]
    [InlineData("GET /admin HTTP/1.1\r\n", "admin")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "web")]
    [InlineData("SSH-2.0-x\r\n", "ssh")]
    [InlineData("\0\0\0\b\u0004\u00d2\u0016\u002f", "pg")]
    [InlineData("EHLO me\r\n", "smtp")]
    [InlineData("HELO me\r\n", "smtp")]
    [InlineData("EHLO\r\n", "rest")]
    [InlineData("GET key\r\n", "rest")]
    [InlineData("?", "rest")]
    public void ForNotTls_OneListenerForAll_EachHasItsRoute(string text, string route)
    {
        Assert.Equal(route, new RouteTable(Routes).ForNotTls(Encoding.Latin1.GetBytes(text), out var needsMore)?.Id);
        Assert.False(needsMore);
    }

    [Fact]
    public void ForNotTls_MayStillBecomeOne_Waits()
    {
        var table = new RouteTable(Routes);

        foreach (var text in new[] { "G", "GET /ad", "S", "SSH-2", "E", "H", "\0" })
        {
            var route = table.ForNotTls(Encoding.Latin1.GetBytes(text), out var needsMore);
            Assert.True(needsMore, text);
            // And where the client says no more:
            Assert.Equal("rest", route?.Id);
        }
    }

    [Fact]
    public void ForNotTls_ANoOfOne_LeavesTheMaybeOfAnother()
    {
        var table = new RouteTable([Route("both", protocols: [ClientProtocol.Ssh, ClientProtocol.Http1]), Route("rest")]);

        Assert.Equal("rest", table.ForNotTls("SSL"u8, out var needsMore)?.Id);
        Assert.True(needsMore);
        Assert.Equal("both", table.ForNotTls("SSL / HTTP/1.1\r\n"u8, out needsMore)?.Id);
        Assert.False(needsMore);
    }

    [Fact]
    public void ForNotTls_HoweverTheBytesAreCut_TheSameRoute()
    {
        var table = new RouteTable(Routes);
        var random = new Random(5);
        foreach (var bytes in ProtocolSamples.All.Select(sample => sample.Bytes).Concat(ProtocolSamples.None))
        {
            var whole = table.ForNotTls(bytes, out _)?.Id;
            for (var round = 0; round < 20; round++)
            {
                Assert.Equal(whole, InCuts(table, bytes, random));
            }
        }
    }

    [Fact]
    public void ForNotTls_NoRouteForIt_IsNull()
    {
        var table = new RouteTable([Route("ssh", protocols: [ClientProtocol.Ssh])]);

        Assert.True(table.NeedsPreread);
        Assert.Null(table.ForNotTls("X"u8, out var needsMore));
        Assert.False(needsMore);
        Assert.Null(table.ForHello("a.test"));
    }

    [Fact]
    public void ForHello_RouteOfOtherProtocols_IsNotTaken()
    {
        var table = new RouteTable(Routes);

        Assert.Equal("tls", table.ForHello("a.test"));
        Assert.Equal("rest", table.ForHello("b.test"));
        Assert.Contains(new RouteConsidered("pg", false, "takes every name, but Protocols takes only PostgreSql"), table.Explain("a.test"));
        Assert.Contains(new RouteConsidered("smtp", false, "takes every name, but FirstBytes takes no TLS"), table.Explain("a.test"));
    }

    private static string? InCuts(RouteTable table, byte[] bytes, Random random)
    {
        for (var length = random.Next(1, bytes.Length + 1); ; length = Math.Min(length + random.Next(1, 8), bytes.Length))
        {
            var route = table.ForNotTls(bytes.AsSpan(0, length), out var needsMore);
            if (!needsMore || length == bytes.Length)
            {
                return route?.Id;
            }
        }
    }
}
