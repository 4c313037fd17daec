using System.Net;
using System.Net.Sockets;
using KestrelStream.ProxyProtocol;
using Xunit;

namespace KestrelStream.Tests.ProxyProtocol;

/// <summary>Whose headers are believed.</summary>
public class TrustedPeersTests
{
    [Theory]
    [InlineData("10.1.2.3", true)]
    [InlineData("::ffff:10.1.2.3", true)]
    [InlineData("11.0.0.1", false)]
    [InlineData("192.0.2.7", true)]
    [InlineData("192.0.2.8", false)]
    [InlineData("2001:db8:1::1", true)]
    [InlineData("2001:db9::1", false)]
    public void Contains_Address_GoesByNetworks(string peer, bool expected)
        => Assert.Equal(expected, new TrustedPeers(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]).Contains(new IPEndPoint(IPAddress.Parse(peer), 1)));

    [Fact]
    public void Contains_UnixPeer_OnlyWhenSaid()
    {
        Assert.False(new TrustedPeers(["0.0.0.0/0", "::/0"]).Contains(new UnixDomainSocketEndPoint("/a")));
        Assert.True(new TrustedPeers(["unix:"]).Contains(new UnixDomainSocketEndPoint("/a")));
        Assert.False(new TrustedPeers(["unix:"]).Contains(new IPEndPoint(IPAddress.Loopback, 1)));
    }
}
