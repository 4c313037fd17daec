using System.Net.Sockets;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Preread;

/// <summary>Several protocols on one port, each to a destination of its own, with real clients and with bytes that are cut anyhow.</summary>
public sealed class ProtocolDetectionTests
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task OnePort_RealClients_EachReachItsDestination(EngineKind engine)
    {
        await using var postgres = await PostgresServer.StartAsync("behind-one-port");
        await using var web = Answering("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nweb");
        await using var echo = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(OnePort(engine, ("web", web.EndPoint), ("pg", postgres.EndPoint), ("echo", echo.EndPoint)));

        var page = await Curl.GetAsync("http://a.example.com/", proxy.EndPoint());
        Assert.Equal((200, "web"), (page.Status, page.Body));
        Assert.Equal("web", proxy.Sessions.Last().Route);

        var name = await ChildProcess.RunAsync(
            PeerProgram.Find("psql", "postgresql"),
            ["-XAtc", "SHOW cluster_name", $"host=127.0.0.1 port={proxy.EndPoint().Port} user=postgres dbname=postgres sslmode=prefer connect_timeout=30"]);
        Assert.Equal((0, "behind-one-port"), (name.ExitCode, name.Output.Trim()));
        Assert.Equal("pg", proxy.Sessions.Last().Route);

        using var hello = await proxy.ConnectAsync();
        var bytes = ClientHelloBuilder.Browser("a.example.com").Build();
        await hello.SendAllAsync(bytes);
        Assert.Equal(bytes, await hello.ReceiveExactlyAsync(bytes.Length));
        Assert.Equal("tls", proxy.Sessions.Last().Route);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task BytesOneByOne_AreRoutedWhenTheyMustBe_AndAllArrive(EngineKind engine)
    {
        await using var web = ScriptedUpstream.Echo();
        await using var rest = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(OnePort(engine, ("web", web.EndPoint), ("pg", rest.EndPoint), ("echo", rest.EndPoint)));

        foreach (var (text, route) in new[] { ("GET /index.html HTTP/1.1\r\n", "web"), ("SSH-2.0-me\r\n", "ssh"), ("EHLO me", "smtp"), ("GET key\r\n", "rest"), ("hello", "rest") })
        {
            using var client = await proxy.ConnectAsync();
            foreach (var b in Encoding.ASCII.GetBytes(text))
            {
                await client.SendAllAsync(new[] { b });
            }

            Assert.Equal(text, Encoding.ASCII.GetString(await client.ReceiveExactlyAsync(text.Length)));
            client.Shutdown(SocketShutdown.Send);
            Assert.Empty(await client.ReceiveToEndAsync());
            var session = proxy.Sessions.Last();
            Assert.Equal((route, (long)text.Length), (session.Route, session.BytesIn));
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task HalfARequestAndTheEnd_GoesWhereOtherBytesGo(EngineKind engine)
    {
        await using var echo = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(OnePort(engine, ("web", echo.EndPoint), ("pg", echo.EndPoint), ("echo", echo.EndPoint)));
        using var client = await proxy.ConnectAsync();

        await client.SendAllAsync("GET /"u8.ToArray());
        client.Shutdown(SocketShutdown.Send);

        Assert.Equal("GET /"u8.ToArray(), await client.ReceiveToEndAsync());
        Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync());
        Assert.Equal("rest", proxy.Sessions.Single().Route);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task HalfARequestAndSilence_IsClosedWithoutAnAlert(EngineKind engine)
    {
        await using var echo = ScriptedUpstream.Echo();
        var config = OnePort(engine, ("web", echo.EndPoint), ("pg", echo.EndPoint), ("echo", echo.EndPoint));
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Listeners = new Dictionary<string, ListenerConfig> { ["public"] = new() { Address = "127.0.0.1:0", PrereadTimeout = TimeSpan.FromMilliseconds(500) } },
        });
        using var client = await proxy.ConnectAsync();

        await client.SendAllAsync("GET /"u8.ToArray());

        Assert.Empty(await client.ReceiveToEndAsync());
        Assert.Equal(SessionEndReason.PrereadTimeout, await proxy.EndReasonAsync());
        Assert.Equal(0, echo.Count);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task RequestLineLongerThanTheBuffer_IsClosedWithoutAnAlert(EngineKind engine)
    {
        await using var echo = ScriptedUpstream.Echo();
        var config = OnePort(engine, ("web", echo.EndPoint), ("pg", echo.EndPoint), ("echo", echo.EndPoint));
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Listeners = new Dictionary<string, ListenerConfig> { ["public"] = new() { Address = "127.0.0.1:0", PrereadBufferBytes = 2048 } },
        });
        using var client = await proxy.ConnectAsync();

        await client.SendAllAsync(Encoding.ASCII.GetBytes("GET /" + new string('a', 2043)));

        Assert.Empty(await client.ReceiveToEndAsync());
        Assert.Equal(SessionEndReason.PrereadTooLarge, await proxy.EndReasonAsync());
        Assert.Equal(0, echo.Count);
    }

    private static ScriptedUpstream Answering(string answer) => new(async socket =>
    {
        await socket.ReceiveAsync(new byte[4096]);
        await socket.SendAllAsync(Encoding.ASCII.GetBytes(answer));
        socket.Shutdown(SocketShutdown.Send);
        await socket.ReceiveToEndAsync();
    });

    /// <summary>Routes for TLS by name, HTTP, SSH, PostgreSQL, SMTP clients that do not wait, and the rest.</summary>
    private static StreamProxyConfig OnePort(EngineKind engine, params (string Cluster, System.Net.IPEndPoint Address)[] clusters) => new()
    {
        Engine = engine,
        ShutdownTimeout = TimeSpan.FromSeconds(10),
        Listeners = new Dictionary<string, ListenerConfig> { ["public"] = new() { Address = "127.0.0.1:0" } },
        Routes = new Dictionary<string, RouteConfig>
        {
            ["tls"] = new() { Match = new RouteMatch { Sni = ["a.example.com"] }, ClusterId = "echo" },
            ["web"] = new() { Match = new RouteMatch { Protocols = [ClientProtocol.Http1, ClientProtocol.Http2] }, ClusterId = "web" },
            ["ssh"] = new() { Match = new RouteMatch { Protocols = [ClientProtocol.Ssh] }, ClusterId = "echo" },
            ["pg"] = new() { Match = new RouteMatch { Protocols = [ClientProtocol.PostgreSql] }, ClusterId = "pg" },
            ["smtp"] = new() { Match = new RouteMatch { FirstBytes = ["text:EHLO "] }, ClusterId = "echo" },
            ["rest"] = new() { ClusterId = "echo" },
        },
        Clusters = clusters.ToDictionary(
            cluster => cluster.Cluster,
            cluster => new ClusterConfig { Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = cluster.Address.ToString() } } }),
    };
}
