using System.Net;
using System.Net.Sockets;
using KestrelStream.ProxyProtocol;
using Xunit;

namespace KestrelStream.Tests.ProxyProtocol;

public sealed class AnnouncedClientTests
{
    [Theory]
    [InlineData("192.0.2.1", "10.0.0.1", true)]
    [InlineData("127.0.0.1", "10.0.0.1", false)]
    [InlineData("127.9.9.9", "::ffff:10.0.0.1", false)]
    [InlineData("::1", "2001:db8::1", false)]
    [InlineData("127.0.0.1", "127.0.0.1", true)]
    [InlineData("127.0.0.1", "::ffff:127.0.0.1", true)]
    [InlineData("169.254.169.254", "10.0.0.1", false)]
    [InlineData("169.254.1.1", "169.254.2.2", true)]
    [InlineData("fe80::1", "2001:db8::1", false)]
    [InlineData("fe80::1", "fe80::2", true)]
    [InlineData("fe80::1", "127.0.0.1", true)]
    [InlineData("127.0.0.1", "169.254.2.2", false)]
    public void IsCredible_OnlyPeersOfThisMachineOrLinkHaveSuchClients(string client, string peer, bool expected)
        => Assert.Equal(expected, AnnouncedClient.IsCredible(new IPEndPoint(IPAddress.Parse(client), 1), new IPEndPoint(IPAddress.Parse(peer), 2)));

    [Fact]
    public void IsCredible_UnixPeer_IsOfThisMachine()
        => Assert.True(AnnouncedClient.IsCredible(new IPEndPoint(IPAddress.Loopback, 1), new UnixDomainSocketEndPoint("/run/front.sock")));
}
