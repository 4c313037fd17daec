using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Health;
using KestrelStream.Health.Checks;
using KestrelStream.Model;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelStream.FunctionalTests.Tls.Upstream;

/// <summary>Handshakes with destinations as a part of the dial: failover, clocks, health, the PROXY header, connections made ahead, checks. On every engine.</summary>
public sealed class UpstreamDialTests : IDisposable
{
    private readonly UpstreamPool _pool = new();

    public void Dispose() => _pool.Dispose();

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task FailedHandshakes_AllKinds_GoToTheNextDestination_AndCountAsFailures(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var stranger = TlsUpstream.Named(new TestCertificates().Issue(UpstreamPool.Name));
        await using var closing = new ScriptedUpstream(_ => Task.CompletedTask);
        await using var speaking = new ScriptedUpstream(socket => socket.SendAllAsync("220 plain.example.com ESMTP\r\n"u8.ToArray()));
        await using var stalling = new ScriptedUpstream(async socket => await socket.ReceiveToEndAsync());
        await using var old = TlsUpstream.Create(TlsUpstream.Options(UpstreamPool.Certificate, SslProtocols.Tls12), (_, _) => Task.CompletedTask);
        await using var good = TlsUpstream.Named(UpstreamPool.Certificate);
        await using var proxy = await ProxyEnvironment.StartAsync(_pool.Config(
            engine,
            tlsEngine,
            [stranger.EndPoint, closing.EndPoint, speaking.EndPoint, stalling.EndPoint, old.EndPoint, good.EndPoint],
            tls => tls with { HandshakeTimeout = TimeSpan.FromMilliseconds(300), Protocols = [TlsVersion.Tls13] }));

        Assert.Equal($"[{UpstreamPool.Name}]hello", await AskAsync(proxy));

        Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync());
        var record = (await _pool.RecordsAsync(1))[0];
        Assert.Equal("f", record.GetProperty("destination").GetString());
        Assert.Equal(
            ["tls_certificate", "tls_failed", "tls_failed", "tls_timed_out", "tls_failed", "connected"],
            record.GetProperty("attempts").EnumerateArray().Select(attempt => attempt.GetProperty("result").GetString()));
        var destinations = ((IProxyState)proxy.Proxy).Current!.Clusters["c"].Model.Destinations;
        Assert.All(destinations.Take(5), destination => Assert.Equal((1, DestinationHealth.Unhealthy), ((int)destination.DialFailures, destination.Health)));
        Assert.Equal(DestinationHealth.Healthy, destinations[5].Health);
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task PlainBytes_BeforeTheHandshake_AreAnError_AndNeverReachTheClient(EngineKind engine, TlsEngineKind tlsEngine)
    {
        // It speaks at once, in clear: once as a mail server would, once as somebody who would like it to be taken for a part of TLS.
        byte[][] injected = [Encoding.ASCII.GetBytes("220 hello\r\n"), [0x17, 3, 3, 0, 5, (byte)'e', (byte)'v', (byte)'i', (byte)'l', (byte)'!'], [0x15, 3, 3, 0, 2, 1, 90]];
        foreach (var bytes in injected)
        {
            await using var upstream = new ScriptedUpstream(async socket =>
            {
                await socket.SendAllAsync(bytes);
                await socket.ReceiveToEndAsync();
            });
            await using var proxy = await ProxyEnvironment.StartAsync(_pool.Config(engine, tlsEngine, [upstream.EndPoint], tls => tls with { HandshakeTimeout = TimeSpan.FromSeconds(1) }));
            using var client = await proxy.ConnectAsync();

            var received = new byte[100];
            await Assert.ThrowsAsync<SocketException>(async () => Assert.Equal(0, await client.ReceiveAsync(received)));
            Assert.Equal(SessionEndReason.UpstreamTlsFailed, await proxy.EndReasonAsync());
        }
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task StalledHandshake_IsBoundedByTheDialBudget_AndByTheSessionsEnd(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var stalling = new ScriptedUpstream(async socket => await socket.ReceiveToEndAsync());
        await using var proxy = await ProxyEnvironment.StartAsync(_pool.Config(
            engine, tlsEngine, [stalling.EndPoint], tls => tls with { HandshakeTimeout = TimeSpan.FromMinutes(5) }, cluster => cluster with { DialBudget = TimeSpan.FromMilliseconds(400) }));
        Assert.Null(await AskAsync(proxy));
        Assert.Equal(SessionEndReason.UpstreamTlsFailed, await proxy.EndReasonAsync());
        Assert.Equal("tls_timed_out", (await _pool.RecordsAsync(1))[0].GetProperty("attempts")[0].GetProperty("result").GetString());

        await using var patient = await ProxyEnvironment.StartAsync(_pool.Config(engine, tlsEngine, [stalling.EndPoint]));
        using var client = await patient.ConnectAsync();
        await Wait.UntilAsync(() => stalling.Active > 0 && patient.Sessions.Count == 1, "the handshake to begin");
        patient.Proxy.AbortSessions();
        await patient.StopAsync().WaitAsync(Wait.Limit);
        Assert.Equal(SessionEndReason.DrainTimeout, await patient.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task ProxyHeader_GoesBeforeTheHandshake_InClear(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var header = new TaskCompletionSource<string>();
        await using var upstream = new ScriptedUpstream(async socket =>
        {
            // A line, byte by byte: what comes behind it is TLS.
            var line = new StringBuilder();
            while (!line.ToString().EndsWith("\r\n", StringComparison.Ordinal))
            {
                line.Append((char)(await socket.ReceiveExactlyAsync(1))[0]);
            }

            header.SetResult(line.ToString());
            await using var ssl = new System.Net.Security.SslStream(new NetworkStream(socket));
            await ssl.AuthenticateAsServerAsync(TlsUpstream.Options(UpstreamPool.Certificate));
            await ssl.WriteAsync("ok"u8.ToArray());
            await TlsUpstream.EndAsync(ssl, socket);
        });
        var config = _pool.Config(engine, tlsEngine, [upstream.EndPoint], cluster: cluster => cluster with { ProxyProtocol = ProxyProtocolVersion.V1 });
        await using var proxy = await ProxyEnvironment.StartAsync(config);
        using var client = await proxy.ConnectAsync();

        Assert.Equal("ok", Encoding.ASCII.GetString(await client.ReceiveExactlyAsync(2)));
        Assert.Equal($"PROXY TCP4 127.0.0.1 127.0.0.1 {((IPEndPoint)client.LocalEndPoint!).Port} {proxy.EndPoint().Port}\r\n", await header.Task);
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task ProxyHeader_OfATerminatedSession_GoesToAPlainDestination(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = UpstreamPool.Terminating(_pool.Config(engine, tlsEngine, [upstream.EndPoint], tls => tls with { Enabled = false }, cluster => cluster with { ProxyProtocol = ProxyProtocolVersion.V1 }));
        await using var proxy = await ProxyEnvironment.StartAsync(config);
        using var client = await proxy.ConnectAsync();
        await using var ssl = new System.Net.Security.SslStream(new NetworkStream(client), false, (_, _, _, _) => true);
        await ssl.AuthenticateAsClientAsync("app.example.com").WaitAsync(Wait.Limit);
        await ssl.WriteAsync("hello"u8.ToArray());

        var expected = $"PROXY TCP4 127.0.0.1 127.0.0.1 {((IPEndPoint)client.LocalEndPoint!).Port} {proxy.EndPoint().Port}\r\nhello";
        var received = new byte[expected.Length];
        await ssl.ReadExactlyAsync(received).AsTask().WaitAsync(Wait.Limit);
        Assert.Equal(expected, Encoding.ASCII.GetString(received));
        Assert.Equal(5, proxy.Sessions.Single().BytesIn);
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task ServerFirstRoute_SilentClient_HearsTheDestination(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var upstream = TlsUpstream.Named(UpstreamPool.Certificate);
        var config = _pool.Config(engine, tlsEngine, [upstream.EndPoint]);
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Listeners = new Dictionary<string, ListenerConfig> { ["public"] = new() { Address = "127.0.0.1:0", ServerFirstAfter = TimeSpan.FromMilliseconds(100) } },
            Routes = new Dictionary<string, RouteConfig> { ["silent"] = config.Routes["all"] with { Match = new RouteMatch { Protocols = [ClientProtocol.ServerFirst] } } },
        });
        using var client = await proxy.ConnectAsync();
        var greeting = $"[{UpstreamPool.Name}]";
        Assert.Equal(greeting, Encoding.ASCII.GetString(await client.ReceiveExactlyAsync(greeting.Length)));
        await client.SendAllAsync("hello"u8.ToArray());
        Assert.Equal("hello", Encoding.ASCII.GetString(await client.ReceiveExactlyAsync(5)));
        client.Shutdown(SocketShutdown.Send);
        Assert.Empty(await client.ReceiveToEndAsync());
        Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task WarmConnections_AreConnectedAhead_AndShakeHandsWhenUsed(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var upstream = TlsUpstream.Named(UpstreamPool.Certificate);
        await using var proxy = await ProxyEnvironment.StartAsync(_pool.Config(engine, tlsEngine, [upstream.EndPoint], cluster: cluster => cluster with { WarmConnections = 2 }));
        await Wait.UntilAsync(() => upstream.Count == 2, "connections to be made ahead");

        for (var i = 0; i < 4; i++)
        {
            Assert.Equal($"[{UpstreamPool.Name}]hello", await AskAsync(proxy));
        }

        var pool = ((IProxyState)proxy.Proxy).Current!.Clusters["c"].Model.Destinations[0].Warm!;
        Assert.True(pool.Hits > 0);
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Checks_UseTheTrustOfTheCluster(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var good = TlsUpstream.Create(TlsUpstream.Options(UpstreamPool.Certificate), AnswerAsync);
        await using var bad = TlsUpstream.Create(TlsUpstream.Options(new TestCertificates().Issue(UpstreamPool.Name)), AnswerAsync);
        foreach (var check in new[]
        {
            new ActiveHealthCheckConfig { Kind = HealthCheckKind.Tls },
            new ActiveHealthCheckConfig { Kind = HealthCheckKind.Https },
            new ActiveHealthCheckConfig { Kind = HealthCheckKind.Http },
            new ActiveHealthCheckConfig { Kind = HealthCheckKind.SendExpect, Steps = [new HealthCheckStep { Send = "PING\\r\\n" }, new HealthCheckStep { Expect = "HTTP/1.1 200" }] },
        })
        {
            await using var proxy = await ProxyEnvironment.StartAsync(_pool.Config(engine, tlsEngine, [good.EndPoint, bad.EndPoint], cluster: cluster => cluster with
            {
                HealthCheck = new HealthCheckConfig { Active = check with { Interval = TimeSpan.FromMilliseconds(100), Rise = 1, Fall = 1, InitialState = HealthCheckInitialState.Down } },
            }));
            var destinations = ((IProxyState)proxy.Proxy).Current!.Clusters["c"].Model.Destinations;
            await Wait.UntilAsync(() => destinations.All(destination => destination.LastCheck is not null), "the checks");
            Assert.Equal(CheckResult.Healthy, destinations[0].LastCheck!.Result);
            Assert.Equal(CheckResult.Tls, destinations[1].LastCheck!.Result);
            Assert.Contains("not trusted", destinations[1].LastCheck!.Detail, StringComparison.Ordinal);
        }

        static async Task AnswerAsync(System.Net.Security.SslStream ssl, Socket socket)
        {
            if (await ssl.ReadAsync(new byte[1000]) > 0)
            {
                await ssl.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
            }

            await TlsUpstream.EndAsync(ssl, socket);
        }
    }

    [Fact]
    public async Task Metrics_CountHandshakesByResult()
    {
        await using var bad = TlsUpstream.Named(new TestCertificates().Issue(UpstreamPool.Name));
        await using var good = TlsUpstream.Named(UpstreamPool.Certificate);
        await using var proxy = await ProxyEnvironment.StartAsync(_pool.Config(EngineKind.Auto, TlsEngineKind.Auto, [bad.EndPoint, good.EndPoint]));
        Assert.NotNull(await AskAsync(proxy));
        await proxy.EndReasonAsync();

        var output = new System.Buffers.ArrayBufferWriter<byte>();
        KestrelStream.Diagnostics.PrometheusText.Write(proxy.Services.GetRequiredService<KestrelStream.Diagnostics.StreamProxyMetrics>(), output);
        var text = Encoding.UTF8.GetString(output.WrittenSpan);
        Assert.Contains("kestrelstream_upstream_tls_handshakes_total{cluster=\"c\",result=\"ok\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("kestrelstream_upstream_tls_handshakes_total{cluster=\"c\",result=\"certificate\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("kestrelstream_upstream_tls_handshake_duration_seconds_count{cluster=\"c\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("kestrelstream_dial_failures_total{cluster=\"c\",destination=\"a\",reason=\"tls_certificate\"} 1\n", text, StringComparison.Ordinal);
    }

    /// <summary>Null = the session was reset.</summary>
    private static async Task<string?> AskAsync(ProxyEnvironment proxy)
    {
        using var client = await proxy.TryConnectAsync();
        if (client is null)
        {
            return null;
        }

        try
        {
            await client.SendAllAsync("hello"u8.ToArray());
            client.Shutdown(SocketShutdown.Send);
            return Encoding.ASCII.GetString(await client.ReceiveToEndAsync());
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
