using System.Net;
using System.Text.Json;
using KestrelStream.FunctionalTests.Discovery;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Samples;

/// <summary>samples/dns-discovery: its own file, a real name server, members at several addresses.</summary>
public sealed class DnsDiscoveryTests
{
    [Fact]
    public async Task DnsDiscovery_ZoneChanges_MembersFollow()
    {
        var (port, members) = DiscoveryPool.Listen([2, 3, 4, 6]);
        await using var dns = await DnsmasqServer.StartAsync(
            ["127.0.0.2 web.example.com", "127.0.0.3 web.example.com", "127.0.0.5 db1.example.com", "127.0.0.6 db2.example.com"],
            [$"_db._tcp.example.com,db1.example.com,{port},10", $"_db._tcp.example.com,db2.example.com,{port},20"]);
        await using var server = await Sample.StartServerAsync("dns-discovery", new()
        {
            ["StreamProxy:Admin:Address"] = "127.0.0.1:0",
            ["StreamProxy:Resolver:Servers:0"] = dns.EndPoint.ToString(),
            ["StreamProxy:Listeners:web:Address"] = "127.0.0.1:0",
            ["StreamProxy:Listeners:db:Address"] = "127.0.0.1:0",
            ["StreamProxy:Clusters:web:Destinations:a:Address"] = $"web.example.com:{port}",
        });

        Assert.Equal("2323", await AskAsync("web", 4));
        Assert.Equal("66", await AskAsync("db", 2));
        await dns.SetHostsAsync("127.0.0.3 web.example.com", "127.0.0.4 web.example.com", "127.0.0.5 db1.example.com", "127.0.0.6 db2.example.com");
        await Wait.UntilAsync(() => server.Error.Text.Contains($"has a new member 127.0.0.4:{port}", StringComparison.Ordinal), "the new member");
        Assert.Equal("34", string.Concat((await AskAsync("web", 2)).Order()));
        Assert.Equal("66", await AskAsync("db", 2));

        using var http = new HttpClient();
        using var clusters = JsonDocument.Parse(await http.GetStringAsync($"http://{server.Admin}/api/clusters"));
        var web = clusters.RootElement.EnumerateArray().Single(cluster => cluster.GetProperty("id").GetString() == "web");
        var name = web.GetProperty("discovery")[0];
        Assert.Equal($"web.example.com:{port} 2 1 ok", $"{name.GetProperty("name")} {name.GetProperty("members")} {name.GetProperty("ttl_seconds")} {name.GetProperty("last_result")}");
        Assert.Equal(
            [$"a@127.0.0.3 127.0.0.3:{port} a ready", $"a@127.0.0.4 127.0.0.4:{port} a ready"],
            web.GetProperty("destinations").EnumerateArray().Select(d => $"{d.GetProperty("id")} {d.GetProperty("address")} {d.GetProperty("source")} {d.GetProperty("state")}"));
        var metrics = await http.GetStringAsync($"http://{server.Admin}/metrics");
        Assert.Contains("kestrelstream_discovery_members{cluster=\"web\",destination=\"a\",state=\"up\"} 2\n", metrics, StringComparison.Ordinal);
        Assert.Contains("kestrelstream_destination_up{cluster=\"web\",destination=\"a\"} 1\n", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0", metrics, StringComparison.Ordinal);

        Assert.Equal(0, (await server.StopAsync()).ExitCode);
        foreach (var member in members)
        {
            await member.DisposeAsync();
        }

        async Task<string> AskAsync(string listener, int sessions)
        {
            var answers = "";
            for (var i = 0; i < sessions; i++)
            {
                using var client = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
                await client.ConnectAsync(new IPEndPoint(IPAddress.Loopback, server.Listener(listener).Port));
                answers += (char)(await client.ReceiveExactlyAsync(1))[0];
            }

            return answers;
        }
    }

    /// <summary><c>check</c> needs no name server.</summary>
    [Fact]
    public async Task Check_NobodyAnswers_HasNoComplaint()
    {
        var result = await ServerProcess.RunAsync(new ServerOptions { ConfigPath = Sample.ConfigPath("dns-discovery") }, "check");

        Assert.True(result.ExitCode == 0, result.ToString());
    }
}
