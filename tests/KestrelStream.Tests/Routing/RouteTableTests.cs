using KestrelStream.Configuration;
using KestrelStream.Routing;
using Xunit;
using static KestrelStream.Tests.Routing.RouteTableBuilder;

namespace KestrelStream.Tests.Routing;

/// <summary>Every rule of the choice, one by one.</summary>
public class RouteTableTests
{
    [Theory]
    [InlineData("www.example.com", "exact")]
    [InlineData("a.example.com", "suffix")]
    [InlineData("b.a.example.com", "suffix")]
    [InlineData("example.com", "rest")]
    [InlineData("xexample.com", "rest")]
    [InlineData("a.deep.example.com", "longer suffix")]
    [InlineData("deep.example.com", "suffix")]
    [InlineData("mail.example.com", "suffix")]
    [InlineData("mail.test", "prefix")]
    [InlineData("mail.in.test", "longer prefix")]
    [InlineData("mail.in.a.test", "longer prefix")]
    [InlineData("mail", "rest")]
    [InlineData("mailx.test", "rest")]
    [InlineData("app7.test", "regex")]
    [InlineData("mail.app7.test", "prefix")]
    [InlineData("example.org", "dot")]
    [InlineData("a.b.example.org", "dot")]
    [InlineData("xexample.org", "rest")]
    [InlineData("nothing.test", "rest")]
    [InlineData(null, "rest")]
    public void ForHello_Name_TakesTheNearestPattern(string? name, string expected)
    {
        var table = new RouteTable([
            Route("exact", ["www.example.com"]),
            Route("suffix", ["*.example.com"]),
            Route("longer suffix", ["*.deep.example.com"]),
            Route("prefix", ["mail.*"]),
            Route("longer prefix", ["mail.in.*"]),
            Route("regex", [@"~app[0-9]\."]),
            Route("dot", [".example.org"]),
            Route("rest"),
        ]);

        Assert.Equal(expected, table.ForHello(name));
    }

    [Fact]
    public void ForHello_LongPrefixAgainstShortSuffix_SuffixWins()
    {
        var table = new RouteTable([Route("prefix", ["a.b.c.d.*"]), Route("suffix", ["*.e"])]);

        Assert.Equal("suffix", table.ForHello("a.b.c.d.e"));
    }

    [Fact]
    public void ForHello_PatternInOtherCaseWithDot_Matches()
    {
        var table = new RouteTable([
            Route("exact", ["WWW.Example.COM."]), Route("suffix", ["*.Example.ORG."]), Route("prefix", ["Mail.*"]), Route("regex", ["~^APP"])]);

        Assert.Equal("exact", table.ForHello("www.example.com"));
        Assert.Equal("suffix", table.ForHello("a.example.org"));
        Assert.Equal("prefix", table.ForHello("mail.test"));
        Assert.Equal("regex", table.ForHello("app.test"));
    }

    [Fact]
    public void ForHello_Expressions_LowerOrderThenMoreConditionsThenIdWins()
    {
        var b = Route("b", ["~x"]);
        Assert.Equal("b", new RouteTable([Route("a", ["~y"], order: 1), b]).ForHello("xy.test"));
        Assert.Equal("a", new RouteTable([Route("a", ["~y"]), b]).ForHello("xy.test"));
        Assert.Equal("c", new RouteTable([Route("c", ["~y"], ["h2"]), b]).ForHello("xy.test", "h2"));
        Assert.Equal("b", new RouteTable([Route("c", ["~y"], ["h2"], order: 1), b]).ForHello("xy.test", "h2"));
    }

    [Fact]
    public void ForHello_EqualNames_MoreConditionsThenOrderThenIdWins()
    {
        string[] name = ["a.test"];
        ClientProtocol[] tls = [ClientProtocol.Tls];
        Assert.Equal("z", new RouteTable([Route("a", name, order: -9), Route("z", name, ["h2"])]).ForHello("a.test", "h2"));
        Assert.Equal("z", new RouteTable([Route("a", name, ["h2"], order: -9), Route("z", name, ["h2"], tls)]).ForHello("a.test", "h2"));
        Assert.Equal("z", new RouteTable([Route("a", name, ["h2"]), Route("z", name, ["http/1.1"], order: -1)]).ForHello("a.test", "h2", "http/1.1"));
        Assert.Equal("a", new RouteTable([Route("a", name, ["h2"]), Route("z", name, ["http/1.1"])]).ForHello("a.test", "h2", "http/1.1"));
        Assert.Equal("b", new RouteTable([Route("C", name, ["h2"]), Route("b", name, ["http/1.1"])]).ForHello("a.test", "h2", "http/1.1"));
    }

    [Fact]
    public void ForHello_NoNames_MoreConditionsThenOrderThenIdWins()
    {
        Assert.Equal("z", new RouteTable([Route("a"), Route("z", alpn: ["h2"])]).ForHello("a.test", "h2"));
        Assert.Equal("z", new RouteTable([Route("a", alpn: ["h2"]), Route("z", alpn: ["x", "h2"], order: -1)]).ForHello(null, "h2"));
        Assert.Equal("a", new RouteTable([Route("a", alpn: ["h2"]), Route("z", alpn: ["x", "h2"])]).ForHello(null, "h2"));
    }

    [Fact]
    public void ForHello_NameFitsButConditionsDoNot_NextStepIsTried()
    {
        var table = new RouteTable([
            Route("exact", ["a.b.test"], ["p1"]),
            Route("long suffix", ["*.b.test"], ["p2"]),
            Route("suffix", ["*.test"], ["p3"]),
            Route("long prefix", ["a.b.*"], ["p4"]),
            Route("prefix", ["a.*"], ["p5"]),
            Route("regex 1", ["~a"], ["p6"]),
            Route("regex 2", ["~b"], ["p7"]),
            Route("unnamed", alpn: ["p8"]),
            Route("rest"),
        ]);
        string[] expected = ["exact", "long suffix", "suffix", "long prefix", "prefix", "regex 1", "regex 2", "unnamed", "rest"];

        for (var i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], table.ForHello("a.b.test", $"p{i + 1}"));
            // Whatever is offered besides does not matter as long as it belongs to later steps.
            Assert.Equal(expected[i], table.ForHello("a.b.test", [.. Enumerable.Range(i + 1, 8 - Math.Min(i, 8)).Reverse().Select(p => $"p{p}"), "p0"]));
        }
    }

    [Fact]
    public void ForHello_NothingFits_IsNull()
    {
        var table = new RouteTable([Route("a", ["a.test"]), Route("silent", protocols: [ClientProtocol.ServerFirst]), Route("h2", alpn: ["h2"])]);

        Assert.Null(table.ForHello("b.test"));
        Assert.Null(table.ForHello(null));
        Assert.Null(table.ForHello(null, "H2"));
        Assert.Null(table.ForHello(null, "h"));
        Assert.Equal("h2", table.ForHello(null, "http/1.1", "h2"));
        Assert.Null(new RouteTable([]).ForHello("a.test"));
    }

    [Fact]
    public void ForNotTls_OnlyRouteWithoutTlsConditions_IsTaken()
    {
        var asking = new[]
        {
            Route("sni", ["a.test"]), Route("alpn", alpn: ["h2"]), Route("tls", protocols: [ClientProtocol.Tls]),
            Route("both", protocols: [ClientProtocol.Tls, ClientProtocol.ServerFirst]),
            Route("silent", protocols: [ClientProtocol.ServerFirst]), Route("terminates", terminates: true),
        };

        Assert.Null(new RouteTable(asking).ForNotTls());
        Assert.Equal("plain", new RouteTable([.. asking, Route("plain", order: 9)]).ForNotTls()!.Id);
    }

    [Fact]
    public void ForHello_TerminatingBesidePassthroughWithoutConditions_TerminatesWhateverTheOrder()
    {
        var table = new RouteTable([Route("plain", order: -5), Route("terminates", terminates: true, order: 5)]);

        Assert.Equal("terminates", table.ForHello("a.test"));
        Assert.Equal("terminates", table.ForHello(null));
        Assert.Equal("plain", table.ForNotTls()!.Id);
    }

    [Fact]
    public void ForHello_ServerFirstRoute_IsTakenBySilenceOnly()
    {
        var table = new RouteTable([Route("silent", protocols: [ClientProtocol.ServerFirst]), Route("rest", order: 9)]);

        Assert.Equal("rest", table.ForHello("a.test"));
        Assert.Equal("rest", table.ForNotTls()!.Id);
        Assert.Equal("silent", table.ForSilence()!.Id);
        Assert.True(table.HasServerFirst);
    }

    [Fact]
    public void ForSilence_NoServerFirstRoute_IsNull()
    {
        var table = new RouteTable([Route("rest"), Route("tls", protocols: [ClientProtocol.Tls])]);

        Assert.Null(table.ForSilence());
        Assert.False(table.HasServerFirst);
    }

    [Fact]
    public void ForSilence_SeveralServerFirstRoutes_LowerOrderThenIdWins()
    {
        ClientProtocol[] silent = [ClientProtocol.ServerFirst];
        ClientProtocol[] both = [ClientProtocol.Tls, ClientProtocol.ServerFirst];

        Assert.Equal("b", new RouteTable([Route("a", protocols: silent, order: 1), Route("b", protocols: both)]).ForSilence()!.Id);
        Assert.Equal("a", new RouteTable([Route("b", protocols: both), Route("a", protocols: silent)]).ForSilence()!.Id);
    }

    [Fact]
    public void NeedsPreread_RouteAsksForBytes_IsTrue()
    {
        Assert.True(new RouteTable([Route("a", ["a.test"])]).NeedsPreread);
        Assert.True(new RouteTable([Route("a", alpn: ["h2"])]).NeedsPreread);
        Assert.True(new RouteTable([Route("a", protocols: [ClientProtocol.Tls])]).NeedsPreread);
        Assert.True(new RouteTable([Route("a", protocols: [ClientProtocol.ServerFirst])]).NeedsPreread);
        Assert.True(new RouteTable([Route("a", terminates: true)]).NeedsPreread);

        var mixed = new RouteTable([Route("rest"), Route("a", ["a.test"])]);
        Assert.True(mixed.NeedsPreread);
        Assert.Null(mixed.Only());
    }

    [Fact]
    public void NeedsPreread_RouteAsksForNothing_IsFalseAndItIsTheOnlyOne()
    {
        var table = new RouteTable([Route("all")]);

        Assert.False(table.NeedsPreread);
        Assert.Equal("all", table.Only()!.Id);
        Assert.False(new RouteTable([]).NeedsPreread);
        Assert.Null(new RouteTable([]).Only());
    }

    [Fact]
    public void ForListener_RoutesOfSeveralListeners_HoldsItsOwnAndThoseOfAll()
    {
        var routes = new[] { Route("one", ["a.test"], listeners: ["L1"]), Route("two", ["a.test"], listeners: ["l2", "l3"]), Route("all") };

        Assert.Equal("one", RouteTable.ForListener("l1", routes).ForHello("a.test"));
        Assert.Equal("two", RouteTable.ForListener("L3", routes).ForHello("a.test"));
        Assert.Equal("all", RouteTable.ForListener("l4", routes).ForHello("a.test"));
        Assert.False(RouteTable.ForListener("l4", routes).NeedsPreread);
    }

    [Fact]
    public void Explain_Hello_SaysOfEveryRouteWhy()
    {
        var table = new RouteTable([
            Route("exact", ["a.example.com"], ["h2"]),
            Route("suffix", ["*.example.com", "~example"]),
            Route("other", ["b.example.com", "c.*"]),
            Route("silent", protocols: [ClientProtocol.ServerFirst]),
            Route("rest"),
        ]);

        Assert.Equal(
            [
                new RouteConsidered("exact", false, "name fits a.example.com, but the client offers none of the ALPN protocols h2"),
                new RouteConsidered("suffix", true, "name fits *.example.com"),
                new RouteConsidered("silent", false, "takes every name, but Protocols takes only ServerFirst"),
                new RouteConsidered("rest", true, "takes every name"),
                new RouteConsidered("other", false, "name \"a.example.com\" fits none of b.example.com, c.*"),
            ],
            table.Explain("a.example.com", "http/1.1"));
        Assert.Contains(new RouteConsidered("exact", true, "name fits a.example.com, and the other conditions hold"), table.Explain("a.example.com", "h2"));
        Assert.Contains(new RouteConsidered("other", true, "name fits c.*"), table.Explain("c.test"));
        Assert.Contains(new RouteConsidered("suffix", true, "name fits ~example"), table.Explain("example.test"));
        Assert.Contains(new RouteConsidered("other", false, "the client gave no name; takes b.example.com, c.*"), table.Explain(null));
    }
}
