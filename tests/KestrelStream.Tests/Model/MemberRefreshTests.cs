using System.Collections.Immutable;
using System.Net;
using KestrelStream.Configuration;
using KestrelStream.Discovery;
using KestrelStream.LoadBalancing;
using KestrelStream.Model;
using KestrelStream.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelStream.Tests.Model;

/// <summary>A cluster whose members change by a name, lookup by lookup.</summary>
public class MemberRefreshTests
{
    private const int Threads = 4;
    private const int SessionsPerThread = 50_000;
    private static long s_sequence;

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Refresh_OlderState_IsIgnored()
    {
        var cluster = Create(new ClusterConfig());
        var older = State(1, 2);
        var newer = State(3);

        cluster.Refresh(Source(cluster), newer);
        cluster.Refresh(Source(cluster), older);

        Assert.Equal("3", Members(cluster));
    }

    [Fact]
    public void Refresh_SameMembers_TurnGoesOn()
    {
        var cluster = Create(new ClusterConfig());
        Refresh(cluster, 1, 2, 3);
        Assert.Equal("12", Pick(cluster) + Pick(cluster));

        Refresh(cluster, 1, 2, 3);

        Assert.Equal("3", Pick(cluster));
    }

    /// <summary>What an operator says about a name is said about every member that it has, and will have.</summary>
    [Fact]
    public void Refresh_NameIsDrained_NewMembersAreToo()
    {
        var cluster = Create(new ClusterConfig());
        Refresh(cluster, 1, 2);
        Say(OperatorState.Drain);
        Assert.Equal("-", Pick(cluster));

        Refresh(cluster, 2, 3);
        Assert.Equal("-", Pick(cluster));
        Assert.Equal("2 3", Members(cluster));

        Say(OperatorState.Ready);
        Assert.Equal("23", Pick(cluster) + Pick(cluster));

        void Say(OperatorState state)
        {
            var config = cluster.Model.Config;
            var destination = config.Destinations["a"] with { Control = new DestinationControl(state, OperatorHealth.Auto) };
            cluster.Apply(ClusterModel.Create(
                config with { Destinations = new Dictionary<string, DestinationConfig> { ["a"] = destination } }, cluster.Model.Policy, _time, cluster.Model));
        }
    }

    /// <summary>Turns, least connections, the ring: each goes by the members that there are.</summary>
    [Theory]
    [InlineData("RoundRobin")]
    [InlineData("LeastConnections")]
    [InlineData("LeastLatency")]
    [InlineData("Random")]
    [InlineData("PowerOfTwoChoices")]
    [InlineData("ConsistentHash")]
    [InlineData("FirstAlphabetical")]
    public void Refresh_EveryPolicy_PicksOnlyMembersThatThereAre(string policy)
    {
        var cluster = Create(new ClusterConfig(), policy);
        Assert.Equal("-", Pick(cluster));
        foreach (var members in new int[][] { [1], [1, 2, 3], [2], [5, 6], [.. Enumerable.Range(1, 200)], [200] })
        {
            Refresh(cluster, members);
            for (ulong key = 1; key < 50; key++)
            {
                Assert.Contains(int.Parse(Pick(cluster, key * 0x9E3779B97F4A7C15), System.Globalization.CultureInfo.InvariantCulture), members);
            }
        }

        Refresh(cluster);
        Assert.Equal("-", Pick(cluster));
    }

    [Fact]
    public void Refresh_ConsistentHash_MovesOnlyTheKeysOfTheMemberThatWent()
    {
        var cluster = Create(new ClusterConfig(), "ConsistentHash");
        Refresh(cluster, 1, 2, 3, 4, 5);
        ulong[] keys = [.. Enumerable.Range(1, 5000).Select(key => KeyHash.Mix((ulong)key))];
        var before = keys.Select(key => Pick(cluster, key)).ToArray();

        Refresh(cluster, 1, 2, 4, 5);

        var after = keys.Select(key => Pick(cluster, key)).ToArray();
        Assert.All(before.Zip(after), pair => Assert.True(pair.First == pair.Second || pair.First == "3"));
        Assert.InRange(before.Count(member => member == "3"), 500, 1500);
    }

    [Fact]
    public void Refresh_SlowStart_NewMemberBeginsSlowlyButNotTheFirstOnes()
    {
        var cluster = Create(new ClusterConfig { SlowStart = TimeSpan.FromMinutes(1) });
        Refresh(cluster, 1, 2);
        Assert.Equal("121212", string.Concat(Enumerable.Range(0, 6).Select(_ => Pick(cluster))));

        Refresh(cluster, 1, 2, 3);
        Assert.InRange(Enumerable.Range(0, 300).Count(_ => Pick(cluster) == "3"), 0, 20);

        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(100, Enumerable.Range(0, 300).Count(_ => Pick(cluster) == "3"));
    }

    [Fact]
    public void Refresh_MembersOfAnSrvName_HaveTheirTiersAndWeights()
    {
        var cluster = Create(new ClusterConfig(), address: "srv+_pg._tcp.example.com");

        cluster.Refresh(Source(cluster), StateOf([
            new(Address(1), 5432, Priority: 5, Weight: 0), new(Address(2), 5432, Priority: 5, Weight: 7), new(Address(2), 5433, Priority: 500, Weight: 1),
            new(IPAddress.IPv6Loopback, 5433, Priority: 65535, Weight: 65535)]));

        Assert.Equal(
            ["a@10.0.0.1:5432 10.0.0.1:5432 1 0 False", "a@10.0.0.2:5432 10.0.0.2:5432 7 0 False", "a@10.0.0.2:5433 10.0.0.2:5433 1 1 True", "a@[::1]:5433 [::1]:5433 65535 2 True"],
            cluster.Model.Destinations.Select((member, i) => $"{member.Id} {member.Address} {member.Weight} {cluster.Model.Tiers[i]} {member.Config.Backup}"));
    }

    [Fact]
    public void Refresh_WeightZero_SwitchesAllOff()
    {
        var cluster = Create(new ClusterConfig(), address: "srv+_pg._tcp.example.com", weight: 0);
        cluster.Refresh(Source(cluster), StateOf([new(Address(1), 5432, Weight: 7)]));
        Assert.Equal("-", Pick(cluster));
    }

    /// <summary>A session that waits for room gets the member that comes.</summary>
    [Fact]
    public async Task Refresh_MemberAdded_ServesTheQueue()
    {
        var cluster = Create(new ClusterConfig { Queue = new QueueConfig { MaxLength = 1 } }, maxConnections: 1);
        Refresh(cluster, 1);
        Assert.Equal("1", Pick(cluster, keep: true));
        var place = cluster.TryQueue(default, out _)!;

        Refresh(cluster, 1, 2);

        Assert.Equal("a@10.0.0.2", (await place.Turn)!.Id);
    }

    /// <summary>The lookups of a name, reloads and sessions on several threads: no slot is lost, nobody gets a member that was never there.</summary>
    [Fact]
    public async Task Refresh_ManyThreadsAndReloads_LosesNoSlot()
    {
        var config = new ClusterConfig { HealthCheck = new HealthCheckConfig { Passive = new PassiveHealthCheckConfig { FailTimeout = TimeSpan.FromMilliseconds(1) } } };
        var cluster = Create(config, time: TimeProvider.System);
        Refresh(cluster, [.. Enumerable.Range(1, 60)]);
        var all = new HashSet<DestinationState>(cluster.Model.Destinations);
        var connected = 0L;
        using var isOver = new CancellationTokenSource();
        var changes = Task.Factory.StartNew(
            () =>
            {
                for (var i = 0; !isOver.IsCancellationRequested; i++)
                {
                    Refresh(cluster, [.. Enumerable.Range(1 + (i % 7), 60 + (i % 90))]);
                    all.UnionWith(cluster.Model.Destinations);
                    cluster.Apply(ClusterModel.Create(cluster.Model.Config, cluster.Model.Policy, TimeProvider.System, cluster.Model));
                    Thread.Yield();
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        try
        {
            await Task.WhenAll(Enumerable.Range(0, Threads).Select(seed => Task.Factory.StartNew(
                () =>
                {
                    for (var i = 0; i < SessionsPerThread; i++)
                    {
                        var attempts = default(DialAttempts);
                        while (cluster.Next(ref attempts) is { } member)
                        {
                            if ((i + seed) % 200 == 0 && attempts.Count < 3)
                            {
                                cluster.DialFailed(member, ref attempts);
                                continue;
                            }

                            cluster.DialSucceeded(member, attempts);
                            cluster.Release(member);
                            Interlocked.Increment(ref connected);
                            break;
                        }
                    }
                },
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default)));
        }
        finally
        {
            await isOver.CancelAsync();
        }

        await changes.WaitAsync(Wait.Limit);
        Assert.True(all.Count > 20, $"{all.Count} members in all");
        Assert.All(all, member => Assert.Equal(0, member.ActiveSessions));
        Assert.Equal(connected, all.Sum(member => member.TotalSessions));
        Assert.True(connected > Threads * SessionsPerThread / 2, $"{connected} sessions");
        Assert.Empty(Source(cluster).Leaving);
    }

    internal static NameState State(params int[] members) => StateOf([.. members.Select(member => new DiscoveredAddress(Address(member)))]);

    private static NameState StateOf(ImmutableArray<DiscoveredAddress> members)
        => new(Interlocked.Increment(ref s_sequence), LookupResult.Ok, members, DateTimeOffset.UnixEpoch, TimeSpan.FromSeconds(30), null);

    private static IPAddress Address(int member) => IPAddress.Parse($"10.0.0.{member}");

    private static DestinationSource Source(ClusterState cluster) => cluster.Model.Sources[0];

    private static void Refresh(ClusterState cluster, params int[] members) => cluster.Refresh(Source(cluster), State(members));

    private static string Members(ClusterState cluster) => string.Join(' ', cluster.Model.Destinations.Select(Number));

    private static string Number(DestinationState member) => member.Address.Host.Split('.')[^1];

    /// <summary>Last number of the member that one session gets; "-" = none.</summary>
    private static string Pick(ClusterState cluster, ulong key = 1, bool keep = false)
    {
        var attempts = new DialAttempts { Key = key };
        if (cluster.Next(ref attempts) is not { } member)
        {
            return "-";
        }

        if (!keep)
        {
            cluster.Release(member);
        }

        return Number(member);
    }

    private ClusterState Create(
        ClusterConfig config, string policyName = "RoundRobin", string address = "db.example.com:5432", int weight = 1, int? maxConnections = null, TimeProvider? time = null)
    {
        Assert.True(new LoadBalancingPolicyRegistry(LoadBalancingPolicyRegistry.CreateBuiltIn()).TryGet(policyName, out var policy));
        config = config with
        {
            Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = address, Weight = weight, MaxConnections = maxConnections } },
        };
        time ??= _time;
        return new ClusterState("web", ClusterModel.Create(config, policy, time), time, NullLogger.Instance);
    }
}
