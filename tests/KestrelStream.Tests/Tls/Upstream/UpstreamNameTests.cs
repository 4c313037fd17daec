using KestrelStream.Configuration;
using KestrelStream.Tls.Upstream;
using Xunit;

namespace KestrelStream.Tests.Tls.Upstream;

public class UpstreamNameTests
{
    [Theory]
    [InlineData(null, null, "App.example.com:443", null, null, "app.example.com", null)]
    [InlineData(null, null, "app.example.com.:443", null, null, "app.example.com", null)]
    [InlineData(null, null, "localhost:443", null, null, "localhost", null)]
    [InlineData(null, null, "10.0.0.1:443", null, null, null, "10.0.0.1")]
    [InlineData(null, null, "[2001:db8::1]:443", null, null, null, "2001:db8::1")]
    [InlineData(null, null, "10.0.0.1:443", "found.example.com", null, "found.example.com", null)]
    [InlineData(null, null, "10.0.0.1:443", "found.example.com.", "client.example.com", "found.example.com", null)]
    [InlineData(null, "host.example.com:8443", "10.0.0.1:443", "found.example.com", null, "host.example.com", null)]
    [InlineData(null, "[2001:db8::2]:443", "10.0.0.1:443", null, null, null, "2001:db8::2")]
    [InlineData(null, "2001:db8::2", "10.0.0.1:443", null, null, null, "2001:db8::2")]
    [InlineData(null, "192.0.2.1:443", "10.0.0.1:443", null, null, null, "192.0.2.1")]
    [InlineData("set.example.com", "host.example.com", "app.example.com:443", "found.example.com", "client.example.com", "set.example.com", null)]
    [InlineData("192.0.2.9", null, "app.example.com:443", null, null, null, "192.0.2.9")]
    [InlineData("{sni}", "host.example.com", "10.0.0.1:443", null, "client.example.com", "client.example.com", null)]
    [InlineData("{sni}", "host.example.com", "10.0.0.1:443", null, null, "host.example.com", null)]
    [InlineData("{sni}", null, "10.0.0.1:443", null, null, null, "10.0.0.1")]
    [InlineData(null, null, "unix:/run/app.sock", null, "client.example.com", null, null)]
    public void Of_EachPlaceThatANameMayComeFrom_GoesInOrder(
        string? configured, string? host, string address, string? found, string? client, string? expectedHost, string? expectedAddress)
    {
        Assert.True(ProxyAddress.TryParseDestination(address, out var parsed));

        var name = UpstreamName.Of(new UpstreamTlsConfig { ServerName = configured }, new DestinationConfig { Address = address, Host = host }, parsed!, found, client);

        Assert.Equal((expectedHost, expectedAddress), (name.Host, name.Address?.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("not a name")]
    [InlineData("a..b")]
    [InlineData("*.example.com")]
    [InlineData("exämple.com")]
    public void Parse_NoName_IsNeither(string text) => Assert.False(UpstreamName.Parse(text).IsKnown);
}
