using System.Net.Sockets;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.FunctionalTests.ProxyProtocol;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.FunctionalTests.Access;

/// <summary>Who may come to a listener and to a route, by whose address, and what one who may not gets to see.</summary>
public sealed class AccessTests
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Listener_DeniedClient_IsResetAndNothingIsDialled(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = ProxyEnvironment.OneRoute(engine, upstream.EndPoint);
        await using var proxy = await ProxyEnvironment.StartAsync(Listener(config, listener => listener with { Deny = ["127.0.0.0/8"] }));
        using (var client = await proxy.TryConnectAsync())
        {
            Assert.True(client is null || await client.EndsWithResetAsync());
        }

        Assert.Equal(0, upstream.Count);

        // Sessions that come after a reload go by its rules.
        Assert.True((await proxy.ReloadAsync(Listener(config, listener => listener with { Deny = ["127.0.0.0/8"], Allow = ["127.0.0.1"] }))).IsApplied);
        using var other = await proxy.ConnectAsync();
        await other.SendAllAsync("x"u8.ToArray());
        Assert.Equal("x"u8.ToArray(), await other.ReceiveExactlyAsync(1));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Listener_Rules_SeeTheAnnouncedClient_NotThePeer(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = ProxyPool.Receiving(engine, upstream.EndPoint, ProxyProtocolMode.Required);
        await using var proxy = await ProxyEnvironment.StartAsync(Listener(config, listener => listener with { Allow = ["192.0.2.0/24"], Deny = ["192.0.2.9"] }));
        foreach (var (client, isAllowed) in new[] { ("192.0.2.1", true), ("192.0.2.9", false), ("198.51.100.1", false) })
        {
            using var socket = await proxy.ConnectAsync();
            await socket.SendAllAsync(Encoding.ASCII.GetBytes($"PROXY TCP4 {client} 198.51.100.2 1024 443\r\nx"));

            if (isAllowed)
            {
                Assert.Equal("x"u8.ToArray(), await socket.ReceiveExactlyAsync(1));
            }
            else
            {
                Assert.True(await socket.EndsWithResetAsync(), client);
            }
        }

        Assert.Equal(1, upstream.Count);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Route_DeniedClient_GetsAnAlertAndNoOtherRoute(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = ProxyPool.ByName(ProxyEnvironment.OneRoute(engine, upstream.EndPoint));
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Routes = config.Routes.ToDictionary(route => route.Key, route => route.Key == "a" ? route.Value with { Allow = ["10.0.0.0/8"] } : route.Value),
        });

        using var denied = await proxy.ConnectAsync();
        await denied.SendAllAsync(ClientHelloBuilder.Browser("a.example.com").Build());

        // Fatal, access_denied.
        Assert.Equal(Convert.FromHexString("15030300020231"), await denied.ReceiveToEndAsync());
        Assert.Equal((SessionEndReason.AccessDenied, "a"), (await proxy.EndReasonAsync(), proxy.Sessions.First().Route));
        Assert.Equal(0, upstream.Count);

        var hello = ClientHelloBuilder.Browser("b.example.com").Build();
        using var other = await proxy.ConnectAsync();
        await other.SendAllAsync(hello);
        Assert.Equal(hello, await other.ReceiveExactlyAsync(hello.Length));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Drop_DeniedClient_IsToldNothingWhereTheSystemAllows(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        using var folder = new TempFolder();
        var config = ProxyPool.ByName(ProxyEnvironment.OneRoute(engine, upstream.EndPoint)) with { AccessLog = new AccessLogConfig { Path = folder["access.log"] } };
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Routes = config.Routes.ToDictionary(route => route.Key, route => route.Value with { Deny = ["127.0.0.1"], DenyAction = RefusalAction.Drop }),
        });
        using var client = await proxy.ConnectAsync();

        await client.SendAllAsync(ClientHelloBuilder.Browser("a.example.com").Build());

        Assert.Equal(SessionEndReason.AccessDenied, await proxy.EndReasonAsync());
        var received = client.ReceiveAsync(new byte[1]);
        if (MayCloseSilently())
        {
            // Nothing to wait for: a reset would have been sent before the session's end, and loopback delivers at once.
            Assert.False(received.IsCompleted);
        }
        else
        {
            Assert.Equal(SocketError.ConnectionReset, (await Assert.ThrowsAsync<SocketException>(() => received.WaitAsync(Wait.Limit))).SocketErrorCode);
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task File_OfDeniedNetworks_IsFollowed(EngineKind engine)
    {
        using var folder = new TempFolder();
        folder.Write("blocked.txt", "192.0.2.0/24\n");
        await using var upstream = ScriptedUpstream.Echo();
        var config = Listener(ProxyEnvironment.OneRoute(engine, upstream.EndPoint), listener => listener with { DenyFile = folder["blocked.txt"] });
        await using var proxy = await ProxyEnvironment.StartAsync(config);
        Assert.True(await GetsInAsync(proxy));

        folder.Write("blocked.txt", "192.0.2.0/24\n127.0.0.1 # us\n");
        await Wait.UntilAsync(() => proxy.Log.Events.Any(e => e.Message.Contains("access rules reloaded, 2 networks", StringComparison.Ordinal)), "the new rules");
        Assert.False(await GetsInAsync(proxy));

        folder.Write("blocked.txt", "127.0.0.0/8\nlocalhost\n");
        await Wait.UntilAsync(() => proxy.Log.Events.Any(e => e.Message.Contains("line 2: \"localhost\" is not a network", StringComparison.Ordinal)), "the refusal");
        Assert.False(await GetsInAsync(proxy));
        Assert.Equal("StreamProxy:Listeners:public:DenyFile", Assert.Single((await proxy.ReloadAsync(config with { ShutdownTimeout = TimeSpan.Zero })).Errors).Path);

        folder.Write("blocked.txt", "");
        await Wait.UntilAsync(() => proxy.Log.Events.Any(e => e.Message.Contains("access rules reloaded, 0 networks", StringComparison.Ordinal)), "the empty rules");
        Assert.True(await GetsInAsync(proxy));
    }

    private static StreamProxyConfig Listener(StreamProxyConfig config, Func<ListenerConfig, ListenerConfig> change)
        => config with { Listeners = config.Listeners.ToDictionary(pair => pair.Key, pair => change(pair.Value)) };

    private static async Task<bool> GetsInAsync(ProxyEnvironment proxy)
    {
        using var client = await proxy.TryConnectAsync();
        try
        {
            if (client is not null)
            {
                await client.SendAllAsync("x"u8.ToArray());
                await client.ReceiveExactlyAsync(1);
                return true;
            }
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
        {
            // Refused.
        }

        return false;
    }

    /// <summary>CAP_NET_ADMIN.</summary>
    private static bool MayCloseSilently()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.SetRawSocketOption(6, 19, [1, 0, 0, 0]);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
