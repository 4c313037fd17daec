using System.Net;
using KestrelStream.Configuration;
using KestrelStream.Dialing.Dynamic;
using Xunit;

namespace KestrelStream.Tests.Dialing;

/// <summary>Which names and addresses a destination <c>{sni}:port</c> may stand for.</summary>
public sealed class DynamicRulesTests
{
    [Theory]
    [InlineData("a.example.com", "a.example.com", true)]
    [InlineData("a.example.com", "b.a.example.com", false)]
    [InlineData("*.example.com", "a.b.example.com", true)]
    [InlineData("*.example.com", "example.com", false)]
    [InlineData("*.example.com", "badexample.com", false)]
    [InlineData(".example.com", "example.com", true)]
    [InlineData(".example.com", "a.example.com", true)]
    [InlineData(".example.com", "example.com.evil.org", false)]
    [InlineData("mail.*", "mail.example.com", true)]
    [InlineData("mail.*", "mailer.example.com", false)]
    [InlineData("mail.*", "mail", false)]
    [InlineData("~^db[0-9]+\\.example\\.com$", "db12.example.com", true)]
    [InlineData("~^db[0-9]+\\.example\\.com$", "db.example.com", false)]
    public void AllowsName_AsRoutesDo(string pattern, string name, bool isAllowed)
        => Assert.Equal(isAllowed, Rules([pattern], ["0.0.0.0/0"]).AllowsName(name));

    [Theory]
    [InlineData("198.41.0.4", true)]
    [InlineData("2001:500:2::c", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("100.100.100.200", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("168.63.129.16", false)]
    [InlineData("172.31.255.255", false)]
    [InlineData("172.32.0.0", true)]
    [InlineData("192.168.0.1", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::", false)]
    [InlineData("::1", false)]
    [InlineData("::7f00:1", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fd00:ec2::254", false)]
    [InlineData("ff02::1", false)]
    [InlineData("64:ff9b::7f00:1", false)]
    [InlineData("64:ff9b::c629:4", true)]
    [InlineData("2002:7f00:1::1", false)]
    [InlineData("2002:a9fe:a9fe::", false)]
    public void AllowsAddress_WithTheWholeInternet_IsPublicOnly(string address, bool isAllowed)
        => Assert.Equal(isAllowed, Rules(["a.example.com"], ["0.0.0.0/0", "::/0"]).AllowsAddress(IPAddress.Parse(address)));

    [Theory]
    [InlineData("10.0.0.0/8", "10.1.2.3", true)]
    [InlineData("10.1.0.0/16", "10.1.2.3", true)]
    [InlineData("10.1.0.0/16", "10.2.2.3", false)]
    [InlineData("8.0.0.0/5", "10.1.2.3", false)]
    [InlineData("127.0.0.1", "127.0.0.1", true)]
    [InlineData("127.0.0.1", "127.0.0.2", false)]
    [InlineData("fc00::/7", "fd00::1", true)]
    [InlineData("64:ff9b::/96", "64:ff9b::a01:203", false)]
    [InlineData("198.41.0.0/24", "198.41.1.4", false)]
    public void AllowsAddress_ReservedOnes_OnlyByANetworkWithin(string network, string address, bool isAllowed)
        => Assert.Equal(isAllowed, Rules(["a.example.com"], [network]).AllowsAddress(IPAddress.Parse(address)));

    private static DynamicRules Rules(string[] names, string[] networks) => new(new DestinationConfig { Address = "{sni}:443", AllowedNames = names, AllowedNetworks = networks });
}
