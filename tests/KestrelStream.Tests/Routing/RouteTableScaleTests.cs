using KestrelStream.Preread;
using KestrelStream.Routing;
using Xunit;
using static KestrelStream.Tests.Routing.RouteTableBuilder;

namespace KestrelStream.Tests.Routing;

public class RouteTableScaleTests
{
    private const int Names = 100_000;

    [Fact]
    public void ForHello_HundredThousandNames_EachGoesToItsRouteWithoutAllocation()
    {
        var routes = Enumerable.Range(0, Names / 10).Select(i => Route($"r{i}", [.. Enumerable.Range(0, 10).Select(j => PatternOf((i * 10) + j))])).ToArray();
        var table = new RouteTable(routes);
        var names = Enumerable.Range(0, Names).Select(NameFor).ToArray();
        var alpn = AlpnList("h2", "http/1.1");
        Assert.Equal("r0", table.ForHello(new ClientHello { ServerName = names[0], AlpnList = alpn })!.Id);

        var wrong = 0;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Names; i++)
        {
            wrong += ReferenceEquals(table.ForHello(new ClientHello { ServerName = names[i], AlpnList = alpn }), routes[i / 10]) ? 0 : 1;
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(0, wrong);
    }

    [Fact]
    public void ForHello_LongestNamesOfMostLabels_FindNothingWithoutAllocation()
    {
        var table = new RouteTable([Route("a", ["*.a.a.a"]), Route("b", ["b.b.*"]), Route("exact", [LongestName('c')])]);
        var miss = LongestName('d');
        var hit = LongestName('a');
        Assert.Null(table.ForHello(new ClientHello { ServerName = miss }));
        Assert.Equal("exact", table.ForHello(LongestName('c')));

        var before = GC.GetAllocatedBytesForCurrentThread();
        var missed = table.ForHello(new ClientHello { ServerName = miss });
        var found = table.ForHello(new ClientHello { ServerName = hit });

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Null(missed);
        Assert.Equal("a", found?.Id);
    }

    /// <summary>Every fifth is a suffix, every seventh a prefix.</summary>
    private static string PatternOf(int i)
        => i % 5 == 0 ? $"*.s{i}.example.com" : i % 7 == 0 ? $"p{i}.mail.*" : $"host{i}.example.com";

    private static string NameFor(int i)
        => i % 5 == 0 ? $"x.y.s{i}.example.com" : i % 7 == 0 ? $"p{i}.mail.example.net" : $"host{i}.example.com";

    /// <summary>253 characters, 127 labels.</summary>
    private static string LongestName(char label) => string.Join('.', Enumerable.Repeat(label, 127));
}
