using System.Net;
using System.Net.Sockets;
using KestrelStream.Configuration;
using KestrelStream.Model;
using KestrelStream.Preread;
using KestrelStream.Routing;
using Xunit;
using static KestrelStream.Tests.Routing.RouteTableBuilder;

namespace KestrelStream.Tests.Routing;

/// <summary>Routes for clients from somewhere.</summary>
public class RouteTableNetworkTests
{
    private static readonly EndPoint s_inside = new IPEndPoint(IPAddress.Parse("10.1.2.3"), 1);
    private static readonly EndPoint s_mapped = new IPEndPoint(IPAddress.Parse("::ffff:10.1.2.3"), 1);
    private static readonly EndPoint s_outside = new IPEndPoint(IPAddress.Parse("192.0.2.1"), 1);
    private static readonly EndPoint s_unix = new UnixDomainSocketEndPoint("/run/x");

    [Fact]
    public void Only_NetworksAlone_NeedNoBytes()
    {
        var table = new RouteTable([Route("rest"), Route("office", networks: ["10.0.0.0/8", "2001:db8::/32"]), Route("local", networks: ["unix:"])]);

        Assert.False(table.NeedsPreread);
        Assert.Equal(["office", "office", "rest", "local", "rest"], new[] { s_inside, s_mapped, s_outside, s_unix, null }.Select(client => table.Only(client)?.Id));
    }

    [Fact]
    public void Only_NobodyElseHasARoute_IsNull()
        => Assert.Null(new RouteTable([Route("office", networks: ["10.0.0.0/8"])]).Only(s_outside));

    [Fact]
    public void ForHello_SameNameForTwoNetworks_GoesByTheClient()
    {
        var table = new RouteTable([Route("in", ["a.test"], networks: ["10.0.0.0/8"]), Route("out", ["a.test"])]);
        var hello = new ClientHello { ServerName = "a.test" };

        Assert.Equal("in", table.ForHello(hello, s_inside)?.Id);
        Assert.Equal("out", table.ForHello(hello, s_outside)?.Id);
        var considered = new List<RouteConsidered>();
        table.Explain(hello, considered, s_outside);
        Assert.Equal(new RouteConsidered("in", false, "name fits a.test, but the client is in none of ClientNetworks 10.0.0.0/8"), considered[0]);
    }

    [Fact]
    public void ForNotTlsAndSilence_GoByTheClient()
    {
        ClientProtocol[] ssh = [ClientProtocol.Ssh, ClientProtocol.ServerFirst];
        var table = new RouteTable([Route("admin", protocols: ssh, networks: ["10.0.0.0/8"]), Route("others", protocols: ssh, order: 1)]);

        Assert.Equal("admin", table.ForNotTls("SSH-2.0-x"u8, out _, s_inside)?.Id);
        Assert.Equal("others", table.ForNotTls("SSH-2.0-x"u8, out _, s_outside)?.Id);
        Assert.Equal("admin", table.ForSilence(s_inside)?.Id);
        Assert.Equal("others", table.ForSilence(s_outside)?.Id);
    }

    [Fact]
    public void ForNotTls_AnotherNetworksMaybe_IsNotWaitedFor()
    {
        var table = new RouteTable([Route("admin", protocols: [ClientProtocol.Ssh], networks: ["10.0.0.0/8"]), Route("rest")]);

        Assert.Equal("rest", table.ForNotTls("S"u8, out var needsMore, s_outside)?.Id);
        Assert.False(needsMore);
        table.ForNotTls("S"u8, out needsMore, s_inside);
        Assert.True(needsMore);
    }
}
