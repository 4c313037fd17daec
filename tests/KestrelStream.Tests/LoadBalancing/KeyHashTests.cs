using System.Net;
using System.Net.Sockets;
using KestrelStream.Configuration;
using KestrelStream.LoadBalancing;
using Xunit;

namespace KestrelStream.Tests.LoadBalancing;

public class KeyHashTests
{
    [Theory]
    [InlineData(HashKey.ClientIp, "192.0.2.1", "192.0.2.1", true)]
    [InlineData(HashKey.ClientIp, "192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData(HashKey.ClientIp, "192.0.2.1", "192.0.2.2", false)]
    [InlineData(HashKey.ClientIp, "2001:db8::1", "2001:db8::2", false)]
    [InlineData(HashKey.ClientIp, "2001:db8::1", "2001:db8:0:1::1", false)]
    [InlineData(HashKey.ClientPrefix, "192.0.2.1", "192.0.2.254", true)]
    [InlineData(HashKey.ClientPrefix, "192.0.2.1", "192.0.3.1", false)]
    [InlineData(HashKey.ClientPrefix, "::ffff:192.0.2.9", "192.0.2.1", true)]
    [InlineData(HashKey.ClientPrefix, "2001:db8::1", "2001:db8::ffff:1", true)]
    [InlineData(HashKey.ClientPrefix, "2001:db8::1", "2001:db8:0:1::1", false)]
    public void Of_Clients_SameHashForTheSameKey(HashKey key, string one, string other, bool areSame)
    {
        var first = KeyHash.Of(key, new IPEndPoint(IPAddress.Parse(one), 1000), "a.example.com");
        var second = KeyHash.Of(key, new IPEndPoint(IPAddress.Parse(other), 2000), "b.example.com");

        Assert.NotEqual(0UL, first);
        Assert.Equal(areSame, first == second);
    }

    [Fact]
    public void Of_Sni_IsTheNameAlone()
    {
        var first = KeyHash.Of(HashKey.Sni, new IPEndPoint(IPAddress.Loopback, 1), "a.example.com");

        Assert.Equal(first, KeyHash.Of(HashKey.Sni, new IPEndPoint(IPAddress.IPv6Loopback, 2), "a.example.com"));
        Assert.NotEqual(first, KeyHash.Of(HashKey.Sni, null, "b.example.com"));
    }

    [Fact]
    public void Of_NoKey_IsZero()
    {
        Assert.Equal(0UL, KeyHash.Of(HashKey.Sni, new IPEndPoint(IPAddress.Loopback, 1), null));
        Assert.Equal(0UL, KeyHash.Of(HashKey.ClientIp, new UnixDomainSocketEndPoint("/run/x"), "a"));
        Assert.Equal(0UL, KeyHash.Of(HashKey.ClientIp, null, "a"));
    }

    [Fact]
    public void Of_Clients_AllocatesNothing()
    {
        var client = new IPEndPoint(IPAddress.Parse("2001:db8::1"), 1);
        KeyHash.Of(HashKey.ClientPrefix, client, "a.example.com");

        var before = GC.GetAllocatedBytesForCurrentThread();
        KeyHash.Of(HashKey.ClientPrefix, client, "a.example.com");
        KeyHash.Of(HashKey.ClientIp, client, "a.example.com");
        KeyHash.Of(HashKey.Sni, client, "a.example.com");

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
