using System.Net.Sockets;
using System.Text;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.FunctionalTests.Samples;

/// <summary>samples/proxy-protocol.</summary>
public sealed class ProxyProtocolTests
{
    [Fact]
    public async Task ProxyProtocol_AnnouncedClient_IsPassedOnAndLogged()
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var server = await Sample.StartServerAsync("proxy-protocol", new()
        {
            ["StreamProxy:Listeners:public:Address"] = "127.0.0.1:0",
            ["StreamProxy:Clusters:web:Destinations:a:Address"] = upstream.EndPoint.ToString(),
        });
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(server.Listener("public"));

        await client.SendAllAsync("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\nhello"u8.ToArray());
        client.Shutdown(SocketShutdown.Send);

        var answer = await client.ReceiveToEndAsync();
        Assert.Equal(Convert.FromHexString("0d0a0d0a000d0a515549540a2111"), answer[..14]);
        Assert.EndsWith("hello", Encoding.Latin1.GetString(answer), StringComparison.Ordinal);
        await Wait.UntilAsync(() => server.Output.Text.Contains("\"client\":\"192.0.2.1:56324\",\"peer\":\"127.0.0.1:", StringComparison.Ordinal), "the access log");
        Assert.Equal(0, (await server.StopAsync()).ExitCode);
    }
}
