using System.Net.Security;
using System.Net.Sockets;
using System.Text.Json;
using KestrelStream.Configuration;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.FunctionalTests.Diagnostics;

/// <summary>What records say of real sessions, on every engine.</summary>
public sealed class AccessLogFactsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task TerminatedSession_EverythingAskedFor_IsInItsRecord(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var (path, key) = TestCertificates.Shared.Issue("a.example.com").WritePem(_folder, "a.pem", "a.key");
        await using var proxy = await ProxyEnvironment.StartAsync(
            ProxyEnvironment.OneRoute(engine, upstream.EndPoint, route => route with
            {
                Tls = new RouteTlsConfig { Mode = TlsMode.Terminate, Certificates = ["a"], Alpn = ["h2"] },
            }) with
            {
                Tls = new TlsConfig { Engine = tlsEngine },
                Certificates = new Dictionary<string, CertificateConfig> { ["a"] = new() { Path = path, KeyPath = key } },
                AccessLog = new AccessLogConfig { Path = _folder["access.log"], Ja4 = true, TcpInfo = true, Start = true },
            });

        using (var client = new SslStream(new NetworkStream(await proxy.ConnectAsync(), ownsSocket: true), false, (_, _, _, _) => true))
        {
            await client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "a.example.com",
                ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
            }).WaitAsync(Wait.Limit);
            await client.WriteAsync(new byte[100]);
            await client.ReadExactlyAsync(new byte[100]);
        }

        var records = await RecordsAsync(2);
        Assert.Equal("start", Text(records[0], "event"));
        Assert.Equal("all", Text(records[0], "route"));
        Assert.Equal("a.example.com", Text(records[0], "sni"));
        Assert.False(records[0].TryGetProperty("end_code", out _));

        var end = records[1];
        Assert.Equal("end", Text(end, "event"));
        Assert.Equal("h2,http/1.1", Text(end, "alpn_offered"));
        Assert.Equal("h2", Text(end, "alpn"));
        Assert.Matches("^t13d[0-9]{4}h2_[0-9a-f]{12}_[0-9a-f]{12}$", Text(end, "ja4"));
        var times = new[] { "hello_at_ms", "handshake_at_ms", "connected_at_ms" }.Select(name => Number(end, name)).ToList();
        Assert.Equal(times.Order(), times);
        Assert.True(times[0] > 0);
        AssertFirstBytes(end, times[2]);
        AssertTcpFacts(end);
        Assert.Equal(100, Number(end, "bytes_in"));

        // All there is of such a session; SslStream does not tell whether one was resumed, and other systems than Linux know nothing of TCP.
        string[] always =
        [
            "time", "event", "id", "listener", "route", "cluster", "destination", "client", "peer", "sni", "alpn_offered", "ja4", "alpn", "tls_version", "tls_cipher",
            "bytes_in", "bytes_out", "duration_ms", "dial_ms", "hello_at_ms", "handshake_at_ms", "connected_at_ms", "first_byte_in_at_ms", "first_byte_out_at_ms",
            "attempts", "end_reason", "end_code", "generation",
        ];
        string[] sometimes = ["tls_resumed", "client_rtt_ms", "client_retransmits", "upstream_rtt_ms", "upstream_retransmits"];
        Assert.Equal(always, end.EnumerateObject().Select(field => field.Name).Except(sometimes));
        Assert.Equal(tlsEngine == TlsEngineKind.OpenSsl, end.TryGetProperty("tls_resumed", out _));
        Assert.Equal("TLSv1.3", Text(end, "tls_version"));
        Assert.Equal("connected", Text(end.GetProperty("attempts")[0], "result"));
        Assert.Equal(upstream.EndPoint.ToString(), Text(end.GetProperty("attempts")[0], "address"));
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task StartTlsSession_ProtocolAndTls_AreInItsRecord(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var (path, key) = TestCertificates.Shared.Issue("db.example.com").WritePem(_folder, "db.pem", "db.key");
        await using var proxy = await ProxyEnvironment.StartAsync(
            ProxyEnvironment.OneRoute(engine, upstream.EndPoint, route => route with
            {
                StartTls = StartTlsProtocol.PostgreSql,
                Match = new RouteMatch { Sni = ["db.example.com"] },
                Tls = new RouteTlsConfig { Mode = TlsMode.Terminate, Certificates = ["db"] },
            }) with
            {
                Tls = new TlsConfig { Engine = tlsEngine },
                Certificates = new Dictionary<string, CertificateConfig> { ["db"] = new() { Path = path, KeyPath = key } },
                AccessLog = new AccessLogConfig { Path = _folder["access.log"] },
            });

        using (var socket = await proxy.ConnectAsync())
        {
            // SSLRequest, and the server's one letter: it will.
            await socket.SendAllAsync(new byte[] { 0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f });
            Assert.Equal("S"u8.ToArray(), await socket.ReceiveExactlyAsync(1));
            using var client = new SslStream(new NetworkStream(socket), false, (_, _, _, _) => true);
            await client.AuthenticateAsClientAsync("db.example.com").WaitAsync(Wait.Limit);
            await client.WriteAsync(new byte[100]);
            await client.ReadExactlyAsync(new byte[100]);
        }

        var end = Assert.Single(await RecordsAsync(1));
        Assert.Equal("postgresql", Text(end, "starttls"));
        Assert.Equal("db.example.com", Text(end, "sni"));
        Assert.Equal("TLSv1.3", Text(end, "tls_version"));
        Assert.Equal(100, Number(end, "bytes_in"));
        var times = new[] { "hello_at_ms", "handshake_at_ms", "connected_at_ms", "duration_ms" }.Select(name => Number(end, name)).ToList();
        Assert.Equal(times.Order(), times);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task SessionOfManyDials_EveryOne_IsInItsRecord(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var (first, second) = (ScriptedUpstream.Nobody(), ScriptedUpstream.Nobody());
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyEnvironment.OneRoute(engine, upstream.EndPoint) with
        {
            AccessLog = new AccessLogConfig { Path = _folder["access.log"] },
            Clusters = new Dictionary<string, ClusterConfig>
            {
                ["c"] = new()
                {
                    LoadBalancingPolicy = "FirstAlphabetical",
                    Destinations = new[] { ("a", first), ("b", second), ("c", upstream.EndPoint) }.ToDictionary(
                        pair => pair.Item1, pair => new DestinationConfig { Address = pair.Item2.ToString()! }),
                },
            },
        });

        using (var client = await proxy.ConnectAsync())
        {
            await client.SendAllAsync(new byte[10]);
            await client.ReceiveExactlyAsync(10);
        }

        var end = Assert.Single(await RecordsAsync(1));
        Assert.Equal(
            [("a", first.ToString(), "refused"), ("b", second.ToString(), "refused"), ("c", upstream.EndPoint.ToString(), "connected")],
            end.GetProperty("attempts").EnumerateArray().Select(attempt => (Text(attempt, "destination"), Text(attempt, "address"), Text(attempt, "result"))));
        Assert.Equal("c", Text(end, "destination"));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task PassedSession_TcpFactsAndTimes_AreInItsRecord(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyEnvironment.OneRoute(engine, upstream.EndPoint) with
        {
            AccessLog = new AccessLogConfig { Path = _folder["access.log"], TcpInfo = true },
        });

        using (var client = await proxy.ConnectAsync())
        {
            await client.SendAllAsync(new byte[10]);
            await client.ReceiveExactlyAsync(10);
        }

        var end = Assert.Single(await RecordsAsync(1));
        AssertTcpFacts(end);
        Assert.False(end.TryGetProperty("hello_at_ms", out _));
        AssertFirstBytes(end, Number(end, "connected_at_ms"));
        Assert.Equal("--", Text(end, "end_code"));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task RefusedSession_Template_HasDashes(EngineKind engine)
    {
        var nobody = ScriptedUpstream.Nobody();
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyEnvironment.OneRoute(engine, nobody) with
        {
            AccessLog = new AccessLogConfig
            {
                Path = _folder["access.log"],
                Format = AccessLogFormat.Text,
                Template = "$remote_addr $status \"$upstream_addr\" {destination} {end_reason}/{end_code} {client_rtt_ms}",
                If = [new AccessLogRuleConfig { EndReasons = ["!Completed"] }],
            },
        });

        using var client = await proxy.TryConnectAsync();
        await Wait.UntilAsync(() => File.Exists(_folder["access.log"]) && File.ReadAllText(_folder["access.log"]).EndsWith('\n'), "the line");
        var line = File.ReadAllText(_folder["access.log"]);
        Assert.Matches($"^127\\.0\\.0\\.1 502 \"{nobody}\" - ConnectRefused/SC ([0-9.]+|-)\n$", line);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task LongSession_Interval_HasRecordsWhileItRuns(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(ProxyEnvironment.OneRoute(engine, upstream.EndPoint) with
        {
            AccessLog = new AccessLogConfig { Path = _folder["access.log"], Interval = TimeSpan.FromSeconds(1) },
        });

        using var client = await proxy.ConnectAsync();
        await client.SendAllAsync(new byte[10]);
        await client.ReceiveExactlyAsync(10);
        var records = await RecordsAsync(1);
        Assert.Equal("interval", Text(records[0], "event"));
        Assert.Equal(10, Number(records[0], "bytes_out"));
        Assert.False(records[0].TryGetProperty("end_reason", out _));
    }

    /// <summary>Where the directions run on threads of their own, an answer may be handed on before the question is known to be.</summary>
    private static void AssertFirstBytes(JsonElement record, double connected)
    {
        Assert.InRange(Number(record, "first_byte_in_at_ms"), connected, Number(record, "duration_ms"));
        Assert.InRange(Number(record, "first_byte_out_at_ms"), connected, Number(record, "duration_ms"));
    }

    private static void AssertTcpFacts(JsonElement record)
    {
        if (OperatingSystem.IsLinux())
        {
            Assert.True(Number(record, "client_rtt_ms") > 0);
            Assert.True(Number(record, "upstream_rtt_ms") > 0);
            Assert.Equal(0, Number(record, "client_retransmits"));
            Assert.Equal(0, Number(record, "upstream_retransmits"));
        }
    }

    private async Task<JsonElement[]> RecordsAsync(int count)
    {
        var lines = await Wait.ForAsync(() => _folder.Lines("access.log") is { } all && all.Length >= count ? all : null, $"{count} records");
        return [.. lines.Select(line => JsonDocument.Parse(line).RootElement)];
    }

    private static string Text(JsonElement record, string name) => record.GetProperty(name).GetString()!;

    private static double Number(JsonElement record, string name) => record.GetProperty(name).GetDouble();
}
