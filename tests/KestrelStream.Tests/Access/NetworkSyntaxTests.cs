using KestrelStream.Access;
using Xunit;

namespace KestrelStream.Tests.Access;

public sealed class NetworkSyntaxTests
{
    [Theory]
    [InlineData("10.0.0.0/8", true)]
    [InlineData("0.0.0.0/0", true)]
    [InlineData("::1", true)]
    [InlineData("2001:DB8::/32", true)]
    [InlineData("10.0.0.1/8", false)]
    [InlineData("10.0.0.0/33", false)]
    [InlineData("10", false)]
    [InlineData("10.0.0.010", false)]
    [InlineData("[::1]", false)]
    [InlineData("fe80::1%1", false)]
    [InlineData("10.0.0.1:80", false)]
    [InlineData("unix:", true)]
    [InlineData("", false)]
    public void IsNetwork_Text_MustBeOneInFull(string text, bool expected) => Assert.Equal(expected, NetworkSyntax.IsNetwork(text));

    [Theory]
    [InlineData("::ffff:10.0.0.0/104", "10.0.0.0/8")]
    [InlineData("::ffff:10.0.0.1", "10.0.0.1/32")]
    [InlineData("::/0", "::/0")]
    public void TryParse_MappedNetwork_IsTheIPv4One(string text, string expected)
    {
        Assert.True(NetworkSyntax.TryParse(text, out var network));
        Assert.Equal(expected, network.ToString());
    }
}
