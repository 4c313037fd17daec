using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Management;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelStream.FunctionalTests.Dialing;

/// <summary>Destinations <c>{sni}:port</c>, with a real name server.</summary>
public sealed class DynamicTargetTests
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task AllowedName_GoesToItsAddress(EngineKind engine)
    {
        await using var dns = await DnsmasqServer.StartAsync(["127.0.0.2 two.example.com", "127.0.0.3 three.example.com"]);
        await using var two = Answering("two", "127.0.0.2", 0);
        await using var three = Answering("three", "127.0.0.3", two.EndPoint.Port);
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, dns, two.EndPoint.Port, [".example.com"], ["127.0.0.0/8"]));

        Assert.Equal("two", await AskAsync(proxy, "two.example.com"));
        Assert.Equal("three", await AskAsync(proxy, "three.example.com"));
        Assert.Equal("two", await AskAsync(proxy, "TWO.example.com."));
        Assert.Single(dns.Queries, query => query == "A two.example.com");
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task WhatIsNotAllowed_IsNotDialled(EngineKind engine)
    {
        await using var dns = await DnsmasqServer.StartAsync(
            ["127.0.0.2 two.example.com", "127.0.0.2 other.example.com", "169.254.169.254 metadata.example.com", "10.0.0.1 inside.example.com"]);
        await using var two = Answering("two", "127.0.0.2", 0);
        await using var proxy = await ProxyEnvironment.StartAsync(
            Config(engine, dns, two.EndPoint.Port, ["two.example.com", "metadata.example.com", "inside.example.com", "no.example.com"], ["0.0.0.0/0", "127.0.0.0/31"]));

        // The name; then what it has for an address: too wide a network for loopback, and for all that is not public.
        Assert.Equal(SessionEndReason.AccessDenied, await RefusedAsync(proxy, "other.example.com"));
        Assert.DoesNotContain(dns.Queries, query => query.Contains("other", StringComparison.Ordinal));
        Assert.Equal(SessionEndReason.AccessDenied, await RefusedAsync(proxy, "two.example.com"));
        Assert.Equal(SessionEndReason.AccessDenied, await RefusedAsync(proxy, "metadata.example.com"));
        Assert.Equal(SessionEndReason.AccessDenied, await RefusedAsync(proxy, "inside.example.com"));
        Assert.Equal(SessionEndReason.AccessDenied, await RefusedAsync(proxy, null));
        Assert.Equal(SessionEndReason.ConnectRefused, await RefusedAsync(proxy, "no.example.com"));
        Assert.Equal(0, two.Count);

        var text = new ArrayBufferWriter<byte>();
        PrometheusText.Write(proxy.Services.GetRequiredService<StreamProxyMetrics>(), text);
        var metrics = Encoding.UTF8.GetString(text.WrittenSpan);
        Assert.Contains("reason=\"not_allowed\"", metrics);
        Assert.DoesNotContain("example.com", metrics);
    }

    /// <summary>DNS rebinding: an allowed name that has a public address first and an inside one then.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task NameThatChangesItsAddress_IsCheckedAgain(EngineKind engine)
    {
        await using var dns = await DnsmasqServer.StartAsync(["127.0.0.2 two.example.com"]);
        await using var two = Answering("two", "127.0.0.2", 0);
        await using var three = Answering("three", "127.0.0.3", two.EndPoint.Port);
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, dns, two.EndPoint.Port, ["two.example.com"], ["127.0.0.2"]));
        Assert.Equal("two", await AskAsync(proxy, "two.example.com"));

        await dns.SetHostsAsync("127.0.0.3 two.example.com");

        for (var asked = dns.Queries.Count; dns.Queries.Count == asked;)
        {
            using var socket = await SendHelloAsync(proxy, "two.example.com");
            await EndOfAsync(socket);
            await Task.Delay(100);
        }

        Assert.Equal(SessionEndReason.AccessDenied, await RefusedAsync(proxy, "two.example.com"));
        Assert.Equal(0, three.Count);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task ProxysOwnListener_IsNotDialled(EngineKind engine)
    {
        await using var dns = await DnsmasqServer.StartAsync(["127.0.0.1 self.example.com"]);
        var port = LoopbackPort.Take();
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, dns, port, ["self.example.com"], ["127.0.0.0/8"], $"127.0.0.1:{port}"));

        Assert.Equal(SessionEndReason.AccessDenied, await RefusedAsync(proxy, "self.example.com"));
        Assert.Single(proxy.Sessions);
    }

    [Fact]
    public async Task WithoutLists_IsAConfigError()
    {
        var config = ProxyEnvironment.OneRoute(EngineKind.Auto, new DnsEndPoint("x", 1)) with
        {
            Clusters = new Dictionary<string, ClusterConfig> { ["c"] = new() { Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = "{sni}:443" } } } },
        };

        var e = await Assert.ThrowsAsync<StreamProxyConfigException>(() => ProxyEnvironment.StartAsync(config));

        Assert.Equal(["StreamProxy:Clusters:c:Destinations:a:AllowedNames", "StreamProxy:Clusters:c:Destinations:a:AllowedNetworks"], e.Errors.Select(error => error.Path));
    }

    private static StreamProxyConfig Config(EngineKind engine, DnsmasqServer dns, int port, string[] names, string[] networks, string listener = "127.0.0.1:0")
    {
        var config = ProxyEnvironment.OneRoute(engine, new IPEndPoint(IPAddress.Loopback, port));
        return config with
        {
            Resolver = new ResolverConfig { Servers = [dns.EndPoint.ToString()], Timeout = TimeSpan.FromSeconds(5) },
            Listeners = new Dictionary<string, ListenerConfig> { ["public"] = new() { Address = listener } },

            // A route that asks for a name, so that hellos are read; and one for clients without a name.
            Routes = new Dictionary<string, RouteConfig>
            {
                ["named"] = new() { ClusterId = "c", Match = new RouteMatch { Sni = ["~."] } },
                ["rest"] = new() { ClusterId = "c" },
            },
            Clusters = new Dictionary<string, ClusterConfig>
            {
                ["c"] = new() { Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = $"{{sni}}:{port}", AllowedNames = names, AllowedNetworks = networks } } },
            },
        };
    }

    private static ScriptedUpstream Answering(string name, string address, int port) => new(
        async socket =>
        {
            await socket.ReceiveAsync(new byte[4096]);
            await socket.SendAllAsync(Encoding.ASCII.GetBytes(name));
            socket.Shutdown(SocketShutdown.Send);
        },
        IPAddress.Parse(address),
        port: port);

    private static async Task<Socket> SendHelloAsync(ProxyEnvironment proxy, string? name)
    {
        var socket = await proxy.ConnectAsync();
        var hello = new ClientHelloBuilder();
        await socket.SendAllAsync((name is null ? hello : hello.WithServerName(name)).Build());
        return socket;
    }

    private static async Task<string> AskAsync(ProxyEnvironment proxy, string name)
    {
        using var socket = await SendHelloAsync(proxy, name);
        return Encoding.ASCII.GetString(await socket.ReceiveToEndAsync());
    }

    private static async Task<SessionEndReason> RefusedAsync(ProxyEnvironment proxy, string? name)
    {
        var session = proxy.Sessions.Count;
        using var socket = await SendHelloAsync(proxy, name);
        await EndOfAsync(socket);
        return await proxy.EndReasonAsync(session);
    }

    private static async Task EndOfAsync(Socket socket)
    {
        try
        {
            await socket.ReceiveToEndAsync();
        }
        catch (SocketException)
        {
            // Refused with a reset.
        }
    }
}
