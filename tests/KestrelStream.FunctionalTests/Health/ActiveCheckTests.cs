using System.Net;
using KestrelStream.Admin;
using KestrelStream.Configuration;
using KestrelStream.Discovery;
using KestrelStream.Health;
using KestrelStream.Health.Checks;
using KestrelStream.Model;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelStream.FunctionalTests.Health;

/// <summary>What active checks do to sessions, to what is shown, and over reloads.</summary>
public sealed class ActiveCheckTests
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task MemberSaysItIsIll_GetsNoNewSessions_KeepsItsOwn_AndComesBack(EngineKind engine)
    {
        await using var a = new SwitchableMember("a");
        await using var b = new SwitchableMember("b");
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, a, b));
        await proxy.UntilUpAsync("a");
        await proxy.UntilUpAsync("b");
        Assert.Equal(["a", "a", "b", "b"], (await AskAsync(proxy, 4)).Order());

        using var onA = await ConnectToAsync(proxy, "a");
        a.IsIll = true;
        var report = await proxy.UntilDownAsync("a", CheckResult.Protocol);
        Assert.Equal("not +PONG: -ERR ill", report.Detail);
        Assert.All(await AskAsync(proxy, 10), name => Assert.Equal("b", name));
        await onA.SendAllAsync("x"u8.ToArray());
        Assert.Equal("a"u8.ToArray(), await onA.ReceiveExactlyAsync(1));

        a.IsIll = false;
        await proxy.UntilUpAsync("a");
        Assert.Contains("a", await AskAsync(proxy, 4));

        // Each change is told once, with its reason.
        var changes = proxy.Log.Events.Where(e => e.Level >= LogLevel.Information && e.Message.Contains("Redis check of", StringComparison.Ordinal)).Select(e => e.Message).ToList();
        Assert.Equal(2, changes.Count);
        Assert.EndsWith("failed 2 times in a row, last with protocol: not +PONG: -ERR ill", changes[0], StringComparison.Ordinal);
        Assert.EndsWith("succeeded 2 times in a row: +PONG", changes[1], StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task MemberSaysItIsIll_OnUnhealthyClose_ItsSessionsAreCut(EngineKind engine)
    {
        await using var a = new SwitchableMember("a");
        await using var b = new SwitchableMember("b");
        await using var proxy = await ProxyEnvironment.StartAsync(Closing(Config(engine, a, b)));
        await proxy.UntilUpAsync("a");
        await proxy.UntilUpAsync("b");
        using var onA = await ConnectToAsync(proxy, "a");
        using var onB = await ConnectToAsync(proxy, "b");

        a.IsIll = true;

        Assert.True(await onA.EndsWithResetAsync());
        await onB.SendAllAsync("x"u8.ToArray());
        Assert.Equal("b"u8.ToArray(), await onB.ReceiveExactlyAsync(1));

        static StreamProxyConfig Closing(StreamProxyConfig config)
            => config with { Clusters = config.Clusters.ToDictionary(pair => pair.Key, pair => pair.Value with { OnUnhealthy = UnhealthyAction.Close }) };
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task EveryMemberIsDown_SessionsEndWithNoDestination_AndHealthSaysSo(EngineKind engine)
    {
        await using var a = new SwitchableMember("a");
        await using var b = new SwitchableMember("b");
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, a, b));
        ClusterHealth Health() => ClusterHealth.Of(proxy.Services.GetRequiredService<IProxyState>().Current!.Clusters["c"]);
        await proxy.UntilUpAsync("a");
        await proxy.UntilUpAsync("b");
        Assert.Equal(HealthStatus.Healthy, Health().Status);

        a.IsIll = true;
        await proxy.UntilDownAsync("a", CheckResult.Protocol);
        Assert.Equal(HealthStatus.Degraded, Health().Status);

        b.IsIll = true;
        await proxy.UntilDownAsync("b", CheckResult.Protocol);
        Assert.Equal(HealthStatus.Unhealthy, Health().Status);
        await ConnectToNobodyAsync(proxy);
        Assert.Equal(SessionEndReason.NoDestination, await proxy.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task InitialStateDown_NoSessionBeforeTheFirstGoodChecks(EngineKind engine)
    {
        await using var a = new SwitchableMember("a") { IsIll = true };
        var config = Config(engine, CheckedPool.Often(HealthCheckKind.Redis) with { InitialState = HealthCheckInitialState.Down, Fall = 1000 }, a);
        await using var proxy = await ProxyEnvironment.StartAsync(config);

        await ConnectToNobodyAsync(proxy);
        Assert.Equal(SessionEndReason.NoDestination, await proxy.EndReasonAsync());
        a.IsIll = false;
        await proxy.UntilUpAsync("a");
        Assert.Equal(["a"], await AskAsync(proxy, 1));
    }

    [Fact]
    public async Task Reload_SettingsUnchanged_KeepsState_ChangedOnesKeepItUntilTheyDecide_NoneBringsItBack()
    {
        await using var a = new SwitchableMember("a") { IsIll = true };
        await using var b = new SwitchableMember("b");
        var config = Config(EngineKind.Sockets, a, b);
        await using var proxy = await ProxyEnvironment.StartAsync(config);
        await proxy.UntilDownAsync("a", CheckResult.Protocol);
        var member = proxy.Member("a");
        var cluster = config.Clusters["c"];

        // The same again, another policy, another weight: nothing is checked anew.
        Assert.True((await proxy.ReloadAsync(With(cluster with { LoadBalancingPolicy = "LeastConnections" }))).IsApplied);
        Assert.Same(member, proxy.Member("a"));
        Assert.Equal(DestinationHealth.Unhealthy, member.Health);
        Assert.All(await AskAsync(proxy, 4), name => Assert.Equal("b", name));

        // Changed settings: down until they have seen it well.
        var slow = CheckedPool.Often(HealthCheckKind.Redis) with { Rise = 3, Interval = TimeSpan.FromMilliseconds(200) };
        Assert.True((await proxy.ReloadAsync(With(cluster with { HealthCheck = new HealthCheckConfig { Active = slow } }))).IsApplied);
        Assert.Equal(DestinationHealth.Unhealthy, member.Health);
        a.IsIll = false;
        await proxy.UntilUpAsync("a");

        a.IsIll = true;
        await proxy.UntilDownAsync("a", CheckResult.Protocol);
        Assert.True((await proxy.ReloadAsync(With(cluster with { HealthCheck = null }))).IsApplied);
        Assert.NotEqual(DestinationHealth.Unhealthy, member.Health);
        Assert.Null(member.LastCheck);
        var checks = a.Checks;
        Assert.Contains("a", await AskAsync(proxy, 4));
        await Task.Delay(400);
        Assert.InRange(a.Checks, checks, checks + 1);

        StreamProxyConfig With(ClusterConfig changed) => config with { Clusters = new Dictionary<string, ClusterConfig> { ["c"] = changed } };
    }

    /// <summary>A name that only the checks have: any of its addresses will do.</summary>
    [Fact]
    public async Task HealthName_SeveralAddresses_TheFirstThatAnswersIsChecked()
    {
        await using var a = new SwitchableMember("a");
        var resolver = new FixedResolver([IPAddress.Parse("127.0.0.0"), IPAddress.Loopback]);
        var config = CheckedPool.Config(EngineKind.Sockets, CheckedPool.Often(HealthCheckKind.Redis) with { InitialState = HealthCheckInitialState.Down }, a.EndPoint);
        config = WithDestinations(config, new() { ["a"] = new() { Address = a.EndPoint.ToString(), Health = $"a.test:{a.EndPoint.Port}" } });
        await using var proxy = await ProxyEnvironment.StartAsync(config, services => services.AddSingleton<IDestinationNameResolver>(resolver));

        await proxy.UntilUpAsync("a");
        Assert.Equal(["a"], await AskAsync(proxy, 1));
    }

    [Fact]
    public async Task Addresses_OfTheCheck_AreUsedInsteadOfTheMembers()
    {
        await using var health = new SwitchableMember("health");
        var nobody = ScriptedUpstream.Nobody();
        var resolver = new FixedResolver([IPAddress.Loopback]);
        var config = CheckedPool.Config(EngineKind.Sockets, CheckedPool.Often(HealthCheckKind.Redis) with { InitialState = HealthCheckInitialState.Down, Port = health.EndPoint.Port }, nobody);
        config = WithDestinations(config, new()
        {
            ["by-port"] = new() { Address = $"127.0.0.1:{nobody.Port}" },
            ["by-name"] = new() { Address = $"127.0.0.2:{nobody.Port}", Health = $"health.test:{health.EndPoint.Port}" },
            ["down"] = new() { Address = health.EndPoint.ToString(), Health = $"127.0.0.1:{nobody.Port}" },
        });
        await using var proxy = await ProxyEnvironment.StartAsync(config, services => services.AddSingleton<IDestinationNameResolver>(resolver));

        await proxy.UntilUpAsync("by-port");
        await proxy.UntilUpAsync("by-name");
        await proxy.UntilDownAsync("down", CheckResult.Connect);
    }

    [Fact]
    public async Task ManyMembersThatDoNotAnswer_ABoundedNumberIsCheckedAtOnce_AndAllGetTheirTurn()
    {
        var running = 0;
        var most = 0;
        await using var silent = new ScriptedUpstream(
            async socket =>
            {
                var now = Interlocked.Increment(ref running);
                InterlockedMax(ref most, now);

                await socket.EndsWithResetAsync();
                Interlocked.Decrement(ref running);
            },
            IPAddress.Any);
        var members = Enumerable.Range(1, 40).ToDictionary(i => $"m{i}", i => new DestinationConfig { Address = $"127.0.1.{i}:{silent.EndPoint.Port}" });
        var config = WithDestinations(
            CheckedPool.Config(EngineKind.Sockets, CheckedPool.Often(HealthCheckKind.Redis) with { Timeout = TimeSpan.FromMilliseconds(100), Fall = 1 }, silent.EndPoint), members);

        // A reserve of 25 descriptors: half of them are for checks.
        await using var proxy = await ProxyEnvironment.StartAsync(config, services => services.AddSingleton(new DescriptorBudget(limit: 200, openAtStart: 100)));
        foreach (var id in members.Keys)
        {
            await proxy.UntilDownAsync(id, CheckResult.Timeout);
        }

        // Twelve at once. The peer sees the end of a check some time after the next one has begun, so at worst it counts each place twice; without a bound it would be all 40.
        Assert.InRange(most, 6, 24);
    }

    private static void InterlockedMax(ref int most, int now)
    {
        for (var seen = Volatile.Read(ref most); now > seen; seen = Volatile.Read(ref most))
        {
            Interlocked.CompareExchange(ref most, now, seen);
        }
    }

    private static StreamProxyConfig Config(EngineKind engine, params SwitchableMember[] members) => Config(engine, CheckedPool.Often(HealthCheckKind.Redis), members);

    private static StreamProxyConfig Config(EngineKind engine, ActiveHealthCheckConfig check, params SwitchableMember[] members)
        => CheckedPool.Config(engine, check, [.. members.Select(member => member.EndPoint)]);

    private static StreamProxyConfig WithDestinations(StreamProxyConfig config, Dictionary<string, DestinationConfig> destinations)
        => config with { Clusters = new Dictionary<string, ClusterConfig> { ["c"] = config.Clusters["c"] with { Destinations = destinations } } };

    /// <summary>Names of the members that some new sessions reach.</summary>
    private static async Task<List<string>> AskAsync(ProxyEnvironment proxy, int sessions)
    {
        var names = new List<string>();
        for (var i = 0; i < sessions; i++)
        {
            using var client = await proxy.ConnectAsync();
            await client.SendAllAsync("x"u8.ToArray());
            names.Add(((char)(await client.ReceiveExactlyAsync(1))[0]).ToString());
        }

        return names;
    }

    /// <summary>A session that is refused: the reset may come before the client knows that it is connected.</summary>
    private static async Task ConnectToNobodyAsync(ProxyEnvironment proxy)
    {
        try
        {
            using var client = await proxy.ConnectAsync();
            await client.EndsWithResetAsync();
        }
        catch (System.Net.Sockets.SocketException)
        {
        }
    }

    private static async Task<System.Net.Sockets.Socket> ConnectToAsync(ProxyEnvironment proxy, string member)
    {
        while (true)
        {
            var client = await proxy.ConnectAsync();
            await client.SendAllAsync("x"u8.ToArray());
            if ((await client.ReceiveExactlyAsync(1))[0] == member[0])
            {
                return client;
            }

            client.Dispose();
        }
    }

    /// <summary>Answers PING as told, and an x with its name.</summary>
    private sealed class SwitchableMember : IAsyncDisposable
    {
        private readonly ScriptedUpstream _upstream;
        private int _checks;

        public SwitchableMember(string name) => _upstream = new ScriptedUpstream(async socket =>
        {
            var buffer = new byte[100];
            try
            {
                while (await socket.ReceiveAsync(buffer) is > 0 and var count)
                {
                    if (buffer[0] == (byte)'x')
                    {
                        await socket.SendAllAsync(new[] { (byte)name[0] });
                    }
                    else
                    {
                        Interlocked.Increment(ref _checks);
                        await socket.SendAllAsync(IsIll ? "-ERR ill\r\n"u8.ToArray() : "+PONG\r\n"u8.ToArray());
                    }
                }
            }
            catch (System.Net.Sockets.SocketException)
            {
                // A failed check resets its connection.
            }
        });

        public volatile bool IsIll;

        public int Checks => Volatile.Read(ref _checks);

        public IPEndPoint EndPoint => _upstream.EndPoint;

        public ValueTask DisposeAsync() => _upstream.DisposeAsync();
    }

    private sealed class FixedResolver(IPAddress[] addresses) : IDestinationNameResolver
    {
        public ValueTask<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken) => ValueTask.FromResult<IReadOnlyList<IPAddress>>(addresses);
    }
}
