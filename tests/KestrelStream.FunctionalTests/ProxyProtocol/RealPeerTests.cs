using System.Net;
using System.Net.Sockets;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.FunctionalTests.Health;
using KestrelStream.Health.Checks;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.ProxyProtocol;

/// <summary>Headers as nginx and HAProxy send and understand them.</summary>
public sealed class RealPeerTests
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Nginx_BehindUs_KnowsTheClient(EngineKind engine)
    {
        IPEndPoint[] at = [LoopbackPort.TakeEndPoint(), LoopbackPort.TakeEndPoint()];
        await using var nginx = await RawNginx.StartAsync(at, $$"""
            http { server { listen {{at[0]}} proxy_protocol; set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol; location / { return 200 "$remote_addr:$remote_port"; } } }
            stream { server { listen {{at[1]}} proxy_protocol; return "$proxy_protocol_addr:$proxy_protocol_port"; } }
            """);
        foreach (var version in new[] { ProxyProtocolVersion.V1, ProxyProtocolVersion.V2 })
        {
            foreach (var endPoint in at)
            {
                await using var proxy = await ProxyEnvironment.StartAsync(ProxyPool.Sending(
                    ProxyPool.Receiving(engine, endPoint, ProxyProtocolMode.Required), version, version == ProxyProtocolVersion.V2 ? [ProxyProtocolTlv.UniqueId, ProxyProtocolTlv.Crc32c] : []));

                // The stream server answers at once, and resets who has sent more than it has read.
                var request = endPoint == at[0] ? "GET / HTTP/1.0\r\n\r\n"u8.ToArray() : [];
                var answer = await AskAsync(proxy.EndPoint(), [.. ProxyPool.Header, .. request]);

                Assert.EndsWith("192.0.2.1:56324", answer, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Haproxy_BehindUs_KnowsTheClient(EngineKind engine)
    {
        var at = LoopbackPort.TakeEndPoint();
        await using var haproxy = await HaproxyProcess.StartAsync(at, $"""
            frontend f
                mode http
                bind {at} accept-proxy
                http-request return status 200 content-type text/plain lf-string "%[src]:%[src_port] %[fc_pp_unique_id]"
            """);
        foreach (var version in new[] { ProxyProtocolVersion.V1, ProxyProtocolVersion.V2 })
        {
            await using var proxy = await ProxyEnvironment.StartAsync(ProxyPool.Sending(
                ProxyPool.Receiving(engine, at, ProxyProtocolMode.Required), version, version == ProxyProtocolVersion.V2 ? [ProxyProtocolTlv.UniqueId, ProxyProtocolTlv.Crc32c] : []));

            var answer = await AskAsync(proxy.EndPoint(), [.. ProxyPool.Header, .. "GET / HTTP/1.0\r\n\r\n"u8]);

            Assert.Contains("192.0.2.1:56324 ", answer, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task NginxAndHaproxy_InFrontOfUs_AreUnderstood(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();

        // What comes out behind us is the line of v1: it says whom we think the client is.
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyPool.Sending(
            ProxyPool.Receiving(engine, upstream.EndPoint, ProxyProtocolMode.Required), ProxyProtocolVersion.V1));
        IPEndPoint[] at = [.. Enumerable.Range(0, 4).Select(_ => LoopbackPort.TakeEndPoint())];
        await using var nginx = await RawNginx.StartAsync([at[0]], $$"""
            stream { server { listen {{at[0]}}; proxy_pass {{proxy.EndPoint()}}; proxy_protocol on; } }
            """);
        await using var haproxy = await HaproxyProcess.StartAsync(at[1], $"""
            listen v1
                bind {at[1]}
                server s {proxy.EndPoint()} send-proxy
            listen v2
                bind {at[2]}
                server s {proxy.EndPoint()} send-proxy-v2
            listen v2ssl
                bind {at[3]}
                server s {proxy.EndPoint()} send-proxy-v2-ssl-cn proxy-v2-options crc32c,unique-id
                unique-id-format id-%pid
            """);
        foreach (var endPoint in at)
        {
            using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await client.ConnectAsync(endPoint);
            await client.SendAllAsync("hello"u8.ToArray());
            var expected = $"PROXY TCP4 127.0.0.1 127.0.0.1 {((IPEndPoint)client.LocalEndPoint!).Port} {endPoint.Port}\r\nhello";

            Assert.Equal(expected, Encoding.ASCII.GetString(await client.ReceiveExactlyAsync(expected.Length)));
        }
    }

    /// <summary>TLS of a check begins behind its LOCAL header; HAProxy would refuse the one without the other.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Check_ByTlsOfHaproxyThatWantsHeaders_IsGood(EngineKind engine)
    {
        using var folder = new TempFolder();
        var certificate = TestCertificates.Shared.Issue("member.example.com");
        var pem = folder.Write("member.pem", certificate.ChainPem + certificate.KeyPem);
        var at = LoopbackPort.TakeEndPoint();
        await using var haproxy = await HaproxyProcess.StartAsync(at, $"""
            frontend f
                mode http
                bind {at} accept-proxy ssl crt {pem}
                http-request return status 200
            """);
        var check = CheckedPool.Often(HealthCheckKind.Https) with { Verify = false, InitialState = HealthCheckInitialState.Down };
        var config = CheckedPool.Config(engine, check, at);
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyPool.Sending(config, ProxyProtocolVersion.V2, ProxyProtocolTlv.Crc32c));

        await proxy.UntilUpAsync("a");

        Assert.True((await proxy.ReloadAsync(config)).IsApplied);
        await proxy.UntilDownAsync("a", CheckResult.Tls, CheckResult.Protocol);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task PostgreSql_BehindHaproxyThatWantsHeaders_Answers(EngineKind engine)
    {
        await using var postgres = await PostgresServer.StartAsync("one");
        var at = LoopbackPort.TakeEndPoint();
        await using var haproxy = await HaproxyProcess.StartAsync(at, $"""
            listen f
                bind {at} accept-proxy
                log global
                log-format "client=%ci:%cp"
                server s {postgres.EndPoint}
            """);
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyPool.Sending(ProxyEnvironment.OneRoute(engine, at), ProxyProtocolVersion.V2, ProxyProtocolTlv.UniqueId));
        var psql = PeerProgram.Find("psql", "postgresql");

        var result = await ChildProcess.RunAsync(
            psql, ["-At", "-c", "SHOW cluster_name", $"host=127.0.0.1 port={proxy.EndPoint().Port} user=postgres sslmode=disable connect_timeout=20"]);

        Assert.Equal((0, "one"), (result.ExitCode, result.Output.Trim()));
        await Wait.UntilAsync(() => haproxy.Log.Contains("client=127.0.0.1:", StringComparison.Ordinal), "HAProxy's log of the client");
    }

    private static async Task<string> AskAsync(IPEndPoint endPoint, byte[] bytes)
    {
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(endPoint);
        await client.SendAllAsync(bytes);
        return Encoding.ASCII.GetString(await client.ReceiveToEndAsync());
    }
}
