using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.FunctionalTests.ProxyProtocol;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelStream.FunctionalTests.Limits;

/// <summary>Limits of listeners, routes and clients: what one session too many meets, and that every place comes back.</summary>
public sealed class LimitTests
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task MaxSessionsPerClient_OneTooMany_IsRefused_AndPlacesComeBack(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = Listener(ProxyPool.Receiving(engine, upstream.EndPoint, ProxyProtocolMode.Required), new LimitsConfig { MaxSessionsPerClient = 2 });
        await using var proxy = await ProxyEnvironment.StartAsync(config);
        using var one = await TryAsync(proxy, "192.0.2.1");
        using var two = await TryAsync(proxy, "192.0.2.1");
        Assert.True(one is not null && two is not null);

        Assert.Null(await TryAsync(proxy, "192.0.2.1"));
        using (var other = await TryAsync(proxy, "192.0.2.2"))
        {
            Assert.NotNull(other);
        }

        Assert.Equal(1, Limited(proxy, "", "client_sessions", "refused"));

        // The count outlives a reload.
        Assert.True((await proxy.ReloadAsync(config with { ShutdownTimeout = TimeSpan.FromSeconds(5) })).IsApplied);
        Assert.Null(await TryAsync(proxy, "192.0.2.1"));

        two.Dispose();
        await Wait.UntilAsync(() => proxy.Sessions.ElementAt(1).Ended.IsCompleted, "the second session's end");
        using var three = await TryAsync(proxy, "192.0.2.1");
        Assert.NotNull(three);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task NewSessionsPerSecondPerClient_GoesByTheNetwork(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var limits = new LimitsConfig { NewSessionsPerSecondPerClient = 0.01, Burst = TimeSpan.FromSeconds(300), ClientPrefixV4 = 24 };
        await using var proxy = await ProxyEnvironment.StartAsync(Listener(ProxyPool.Receiving(engine, upstream.EndPoint, ProxyProtocolMode.Required), limits));
        var answers = new List<bool>();
        for (var i = 0; i < 5; i++)
        {
            using var client = await TryAsync(proxy, $"192.0.2.{i}");
            answers.Add(client is not null);
        }

        Assert.Equal([true, true, true, false, false], answers);
        Assert.Equal(2, Limited(proxy, "", "client_session_rate", "refused"));
        using var other = await TryAsync(proxy, "198.51.100.1");
        Assert.NotNull(other);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Route_MaxSessions_RefusesWithAnAlert_OrWithAReset(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = ProxyPool.ByName(ProxyEnvironment.OneRoute(engine, upstream.EndPoint));
        await using var proxy = await ProxyEnvironment.StartAsync(Routes(config, new LimitsConfig { MaxSessions = 1 }));
        var hello = ClientHelloBuilder.Browser("a.example.com").Build();
        using var first = await proxy.ConnectAsync();
        await first.SendAllAsync(hello);
        await first.ReceiveExactlyAsync(hello.Length);

        using var second = await proxy.ConnectAsync();
        await second.SendAllAsync(hello);

        Assert.Equal(Convert.FromHexString("15030300020250"), await second.ReceiveToEndAsync());
        Assert.Equal(SessionEndReason.LimitExceeded, await proxy.EndReasonAsync(1));

        // The other route has a count of its own.
        using var plain = await proxy.ConnectAsync();
        await plain.SendAllAsync("hello"u8.ToArray());
        await plain.ReceiveExactlyAsync(5);
        using var plainToo = await proxy.ConnectAsync();
        await plainToo.SendAllAsync("hello"u8.ToArray());
        Assert.True(await plainToo.EndsWithResetAsync());
        Assert.Equal((1, 1), (Limited(proxy, "a", "sessions", "refused"), Limited(proxy, "rest", "sessions", "refused")));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Delay_MaxSessions_TheNextOneGoesOnWhenThereIsRoom(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var limits = new LimitsConfig { MaxSessions = 1, Action = LimitAction.Delay, MaxDelay = TimeSpan.FromSeconds(30) };
        await using var proxy = await ProxyEnvironment.StartAsync(Routes(ProxyEnvironment.OneRoute(engine, upstream.EndPoint), limits));
        using var first = await AskAsync(proxy);
        using var second = await proxy.ConnectAsync();
        await second.SendAllAsync("x"u8.ToArray());
        await Wait.UntilAsync(() => Limited(proxy, "all", "sessions", "delayed") == 1, "the delay");
        Assert.Equal(1, upstream.Count);

        first.Dispose();

        Assert.Equal("x"u8.ToArray(), await second.ReceiveExactlyAsync(1));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Delay_ClientGoesAway_OrItTakesTooLong_EndsTheSession(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var limits = new LimitsConfig { MaxSessions = 1, Action = LimitAction.Delay, MaxDelay = TimeSpan.FromSeconds(1) };
        await using var proxy = await ProxyEnvironment.StartAsync(Listener(ProxyEnvironment.OneRoute(engine, upstream.EndPoint), limits));
        using var first = await AskAsync(proxy);
        using var patient = await proxy.ConnectAsync();
        using (await proxy.ConnectAsync())
        {
            await Wait.UntilAsync(() => Limited(proxy, "", "sessions", "delayed") == 2, "the delays");
        }

        Assert.True(await patient.EndsWithResetAsync());
        await proxy.StopAsync();
        var log = string.Join('\n', proxy.Log.Events.Select(e => e.Message));
        Assert.Equal(1, Limited(proxy, "", "sessions", "refused"));
        Assert.Equal((1, 1), (Ended(proxy, SessionEndReason.LimitExceeded), Ended(proxy, SessionEndReason.ClientGone)));
        Assert.DoesNotContain("defect", log, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Delay_Rate_SessionsComeAtThePaceOfTheRate(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var limits = new LimitsConfig { NewSessionsPerSecond = 4, Burst = TimeSpan.FromMilliseconds(250), Action = LimitAction.Delay };
        await using var proxy = await ProxyEnvironment.StartAsync(Listener(ProxyEnvironment.OneRoute(engine, upstream.EndPoint), limits));
        var watch = Stopwatch.StartNew();

        var clients = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => AskAsync(proxy)));

        // One at once, then one each 250 ms.
        Assert.InRange(watch.Elapsed.TotalSeconds, 1.2, 20);
        Assert.Equal(5, Limited(proxy, "", "session_rate", "delayed"));
        Array.ForEach(clients, client => client.Dispose());
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task HandshakesPerSecond_BeyondTheRate_AreRefusedBeforeTheHandshake(EngineKind engine, TlsEngineKind tlsEngine)
    {
        using var folder = new TempFolder();
        await using var upstream = ScriptedUpstream.Echo();
        var limits = new LimitsConfig { HandshakesPerSecondPerClient = 0.01, Burst = TimeSpan.FromSeconds(200) };
        await using var proxy = await ProxyEnvironment.StartAsync(Terminating(Routes(ProxyEnvironment.OneRoute(engine, upstream.EndPoint), limits), tlsEngine, folder));
        var results = new List<ProcessResult>();
        for (var i = 0; i < 4; i++)
        {
            results.Add(await OpenSslClient.HandshakeAsync(proxy.EndPoint(), "www.example.com"));
        }

        Assert.Equal([true, true, false, false], results.Select(result => result.Output.Contains("Cipher is TLS_", StringComparison.Ordinal)));
        Assert.Contains("alert internal error", results[3].ToString(), StringComparison.Ordinal);
        Assert.Equal(2, Limited(proxy, "all", "client_handshake_rate", "refused"));
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task MaxHandshakes_OthersWaitInTheirOrder(EngineKind engine, TlsEngineKind tlsEngine)
    {
        using var folder = new TempFolder();
        await using var upstream = ScriptedUpstream.Echo();
        var config = Terminating(ProxyEnvironment.OneRoute(engine, upstream.EndPoint), tlsEngine, folder);
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Limits = new ProcessLimitsConfig { MaxHandshakes = 1 },
        });

        // Sends its hello and no more: it keeps the only place.
        using var slow = await proxy.ConnectAsync();
        await slow.SendAllAsync(ClientHelloBuilder.Browser("www.example.com").Build());
        await slow.ReceiveExactlyAsync(1);
        using var gone = await proxy.ConnectAsync();
        await gone.SendAllAsync(ClientHelloBuilder.Browser("www.example.com").Build());
        await Wait.UntilAsync(() => proxy.Sessions.Count == 2, "the second session");
        gone.Reset();

        var handshake = OpenSslClient.HandshakeAsync(proxy.EndPoint(), "www.example.com");
        await Wait.UntilAsync(() => proxy.Sessions.Count == 3, "the third session");
        Assert.False(handshake.IsCompleted);
        slow.Reset();

        Assert.Contains("Cipher is TLS_", (await handshake).Output, StringComparison.Ordinal);
        Assert.Equal(SessionEndReason.ClientTlsFailed, await proxy.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task ProcessMaxSessions_OneTooMany_IsClosed_WhateverItsListener(EngineKind engine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = ProxyEnvironment.OneRoute(engine, upstream.EndPoint);
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Limits = new ProcessLimitsConfig { MaxSessions = 2 },
            Listeners = new[] { "public", "other" }.ToDictionary(id => id, _ => new ListenerConfig { Address = "127.0.0.1:0" }),
        });
        using var one = await AskAsync(proxy);
        using var two = await AskAsync(proxy, "other");

        using (var three = await proxy.ConnectAsync())
        {
            Assert.Empty(await three.ReceiveToEndAsync());
        }

        one.Dispose();
        await Wait.UntilAsync(() => proxy.Sessions.First().Ended.IsCompleted, "the first session's end");
        using var four = await AskAsync(proxy, "other");
        Assert.Equal(1, Ended(proxy, SessionEndReason.ConnectionLimit));
    }

    internal static StreamProxyConfig Terminating(StreamProxyConfig config, TlsEngineKind tlsEngine, TempFolder folder)
    {
        var (path, key) = TestCertificates.Shared.Issue("www.example.com").WritePem(folder);
        return config with
        {
            Tls = new TlsConfig { Engine = tlsEngine },
            Certificates = new Dictionary<string, CertificateConfig> { ["a"] = new() { Path = path, KeyPath = key } },
            Routes = config.Routes.ToDictionary(route => route.Key, route => route.Value with { Tls = new RouteTlsConfig { Mode = TlsMode.Terminate, Certificates = ["a"] } }),
        };
    }

    internal static StreamProxyConfig Routes(StreamProxyConfig config, LimitsConfig limits)
        => config with { Routes = config.Routes.ToDictionary(route => route.Key, route => route.Value with { Limits = limits }) };

    private static StreamProxyConfig Listener(StreamProxyConfig config, LimitsConfig limits)
        => config with { Listeners = config.Listeners.ToDictionary(listener => listener.Key, listener => listener.Value with { Limits = limits }) };

    private static async Task<Socket> AskAsync(ProxyEnvironment proxy, string listener = "public")
    {
        var client = await proxy.ConnectAsync(listener);
        await client.SendAllAsync("x"u8.ToArray());
        await client.ReceiveExactlyAsync(1);
        return client;
    }

    /// <summary>As the client that is announced; null = refused.</summary>
    private static async Task<Socket?> TryAsync(ProxyEnvironment proxy, string announced)
    {
        var client = await proxy.ConnectAsync();
        try
        {
            await client.SendAllAsync(Encoding.ASCII.GetBytes($"PROXY TCP4 {announced} 198.51.100.2 1024 443\r\nx"));
            await client.ReceiveExactlyAsync(1);
            return client;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            client.Dispose();
            return null;
        }
    }

    private static long Limited(ProxyEnvironment proxy, string route, string limit, string action)
        => Sum(proxy, "kestrelstream.limited", ("route", route), ("limit", limit), ("action", action));

    private static long Ended(ProxyEnvironment proxy, SessionEndReason reason) => Sum(proxy, "kestrelstream.sessions", ("end_reason", reason.ToString()));

    private static long Sum(ProxyEnvironment proxy, string metric, params (string Name, string Value)[] labels)
        => proxy.Services.GetRequiredService<StreamProxyMetrics>().Readings.Single(reading => reading.Family.Name == metric).Read()
            .Where(measured => labels.All(label => measured.Tags.ToArray().Contains(new KeyValuePair<string, object?>(label.Name, label.Value))))
            .Sum(measured => measured.Value);
}
