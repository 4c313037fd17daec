using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Health;
using KestrelStream.LoadBalancing;
using KestrelStream.Model;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.Tests.Model;

/// <summary>What an operator says about destinations, and what becomes of sessions.</summary>
public sealed class DestinationControlTests
{
    private static readonly DestinationControl s_drain = new(OperatorState.Drain, OperatorHealth.Auto);
    private static readonly DestinationControl s_maintenance = new(OperatorState.Maintenance, OperatorHealth.Auto);
    private static readonly DestinationControl s_up = new(OperatorState.Ready, OperatorHealth.Up);
    private static readonly DestinationControl s_down = new(OperatorState.Ready, OperatorHealth.Down);

    public static TheoryData<string> Policies => [.. LoadBalancingPolicyRegistry.CreateBuiltIn().Select(policy => policy.Name)];

    [Theory]
    [MemberData(nameof(Policies))]
    public void Drain_AnyPolicy_NoNewSessionUntilItIsReady(string policy)
    {
        var cluster = Cluster(policy, 1, 1, 1);
        Set(cluster, "a", s_drain);
        Assert.DoesNotContain("a", Open(cluster, 200).Keys);
        Set(cluster, "a", default);
        Assert.Contains("a", Open(cluster, 200).Keys);
    }

    [Theory]
    [MemberData(nameof(Policies))]
    public void Weight_AnyPolicy_HoldsAtOnce(string policy)
    {
        var cluster = Cluster(policy, 1, 1, 1);
        SetWeight(cluster, "a", 0);
        Assert.DoesNotContain("a", Open(cluster, 200).Keys);
        SetWeight(cluster, "a", 6);
        var sessions = Open(cluster, 800).GetValueOrDefault("a");
        if (policy != "FirstAlphabetical")
        {
            // Six parts of eight, and the others had 200 before: by chance a tenth more or less.
            Assert.InRange(sessions, 500, 780);
        }
        else
        {
            Assert.Equal(800, sessions);
        }
    }

    [Fact]
    public void Weight_OfRoundRobin_GivesTheOrderOfTheNewWeights()
    {
        var cluster = TestCluster.OfWeights(1, 1, 1);
        Assert.Equal("a b c a", cluster.Run(4));
        SetWeight(cluster, "a", 5);
        Assert.Equal("a a b a c a a", cluster.Run(7));
    }

    [Fact]
    public void Drain_TurnsGoOn()
    {
        var cluster = TestCluster.OfWeights(1, 1, 1);
        Assert.Equal("a b", cluster.Run(2));
        Set(cluster, "a", s_up);
        Assert.Equal("c a b", cluster.Run(3));
    }

    [Fact]
    public void Drain_InPanic_GetsNobody()
    {
        var config = TestCluster.Config([.. "abcd".Select(id => (id.ToString(), new DestinationConfig()))]) with { PanicThreshold = 50 };
        var cluster = new TestCluster(config);
        Set(cluster, "a", s_drain);
        Set(cluster, "b", s_down);
        Down(cluster, "c");

        // One of three in service is up: health is ignored, what the operator says is not. Two of four would be no panic.
        Assert.Equal("c d c d", cluster.Run(4));
    }

    [Fact]
    public void Drain_OfHalf_IsNoPanic()
    {
        var config = TestCluster.Config([.. "abcd".Select(id => (id.ToString(), new DestinationConfig()))]) with { PanicThreshold = 50 };
        var cluster = new TestCluster(config);
        Set(cluster, "a", s_drain);
        Set(cluster, "b", s_maintenance);
        Down(cluster, "b");
        Down(cluster, "c");

        // One of two that are in service is up: half. One of four would be panic.
        Assert.Equal("d d d", cluster.Run(3));
    }

    [Fact]
    public void Drain_AllPrimaries_BackupsAreUsed()
    {
        var cluster = new TestCluster(TestCluster.Config(("a", new()), ("b", new()), ("spare", new DestinationConfig { Backup = true })));
        Set(cluster, "a", s_drain);
        Assert.Equal("b b", cluster.Run(2));
        Set(cluster, "b", s_drain);
        Assert.Equal("spare spare", cluster.Run(2));
        Set(cluster, "spare", s_drain);
        Assert.Equal("-", cluster.Open());
    }

    [Fact]
    public void Drain_AllButOne_ThatOneIsNotEjected()
    {
        var cluster = TestCluster.OfWeights(1, 1);
        Set(cluster, "a", s_drain);
        Assert.Equal("b>-", cluster.Run(_ => false));
        Assert.Equal("b", cluster.Run(1));
    }

    [Fact]
    public void Drain_LastSessionEnds_IsLoggedOnce()
    {
        var log = new RecordingLogger();
        var cluster = new TestCluster(TestCluster.Config(("a", new()), ("b", new())), logger: log.CreateLogger("test"));
        var attempts = default(DialAttempts);
        var a = cluster.State.Next(ref attempts)!;
        attempts = default;
        Assert.Equal("b", cluster.State.Next(ref attempts)!.Id);
        attempts = default;
        Assert.Same(a, cluster.State.Next(ref attempts));

        Set(cluster, "a", s_drain);
        cluster.State.Release(a);
        Assert.Equal(0, Drained());
        cluster.State.Release(a);
        Assert.Equal(1, Drained());

        // Nothing new, and then once more from the beginning, with nobody on it.
        Set(cluster, "a", s_drain);
        Assert.Equal(1, Drained());
        Set(cluster, "a", default);
        Set(cluster, "a", s_maintenance);
        Assert.Equal(2, Drained());

        int Drained() => log.Events.Count(logged => logged.Id == EventIds.DestinationDrained);
    }

    [Fact]
    public void Drain_PickedFromTheModelBefore_GetsNoSlot()
    {
        var a = TestCluster.OfWeights(1, 1).Destination("a");
        a.Configure(a.Config with { Control = s_drain });
        Assert.False(a.TryTakeSlot());
        Assert.Equal(0, a.ActiveSessions);
        Assert.True(a.TryFinishDrain());
        Assert.False(a.TryFinishDrain());
    }

    [Fact]
    public void Drain_WhileSlotsAreTaken_NoneIsTakenAfterItIsDrained()
    {
        var cluster = TestCluster.OfWeights(1, 1);
        var a = cluster.Destination("a");
        var (ready, drain) = (a.Config, a.Config with { Control = s_drain });
        using var stop = new CancellationTokenSource();
        var isDrained = false;
        var taken = 0;
        var tooLate = 0;
        // Threads of their own: a busy pool might not get to them before it is over.
        var takers = Enumerable.Range(0, 2).Select(_ => Task.Factory.StartNew(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                if (a.TryTakeSlot())
                {
                    Thread.SpinWait(5);
                    Interlocked.Increment(ref taken);
                    if (Volatile.Read(ref isDrained))
                    {
                        Interlocked.Increment(ref tooLate);
                    }

                    a.ReturnSlot();
                }
            }
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray();

        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref taken) > 0, Wait.Limit));
        for (var round = 0; round < 2_000; round++)
        {
            a.Configure(drain);
            SpinWait.SpinUntil(a.TryFinishDrain, Wait.Limit);
            Volatile.Write(ref isDrained, true);
            Thread.SpinWait(50);
            Volatile.Write(ref isDrained, false);
            a.Configure(ready);
        }

        stop.Cancel();
        Task.WaitAll(takers);
        Assert.Equal(0, tooLate);
        Assert.Equal(0, a.ActiveSessions);
    }

    [Fact]
    public void HealthUp_WinsOverChecksAndFailures()
    {
        var cluster = TestCluster.OfWeights(1, 1);
        Down(cluster, "a");
        Assert.Equal("b b", cluster.Run(2));
        Set(cluster, "a", s_up);
        Assert.Equal(DestinationHealth.Healthy, cluster.Destination("a").Health);
        Assert.Contains("a", cluster.Run(2), StringComparison.Ordinal);

        // nginx's defaults take it out after one failure; not now.
        Assert.Contains("a", cluster.Run(id => id != "a") + cluster.Run(id => id != "a"), StringComparison.Ordinal);
        Assert.False(cluster.Destination("a").IsOut);
        Assert.Contains("a", cluster.Run(2), StringComparison.Ordinal);

        Set(cluster, "a", default);
        Assert.Equal("b b", cluster.Run(2));
        Assert.Equal(DestinationHealth.Unhealthy, cluster.Destination("a").Health);
    }

    [Fact]
    public void HealthDown_WinsOverChecks()
    {
        var cluster = TestCluster.OfWeights(1, 1);
        Set(cluster, "a", s_down);
        Assert.Equal("b b", cluster.Run(2));
        cluster.State.SetUpByChecks(cluster.Destination("a"), isUp: false);
        cluster.State.SetUpByChecks(cluster.Destination("a"), isUp: true);
        Assert.Equal(DestinationHealth.Unhealthy, cluster.Destination("a").Health);
        Assert.Equal("b b", cluster.Run(2));
        Set(cluster, "a", default);
        Assert.Contains("a", cluster.Run(2), StringComparison.Ordinal);
    }

    [Fact]
    public void Maintenance_Over_BeginsSlowly()
    {
        var config = TestCluster.Config(("a", new()), ("b", new())) with { SlowStart = TimeSpan.FromSeconds(60) };
        var cluster = new TestCluster(config);
        Set(cluster, "a", s_maintenance);
        Assert.Equal("b b", cluster.Run(2));
        Set(cluster, "a", default);
        Assert.InRange(cluster.Run(100).Split(' ').Count(id => id == "a"), 0, 5);
        cluster.Time.Advance(TimeSpan.FromSeconds(61));
        Assert.InRange(cluster.Run(100).Split(' ').Count(id => id == "a"), 49, 51);
    }

    [Theory]
    [InlineData(HealthCheckInitialState.Up, "a")]
    [InlineData(HealthCheckInitialState.Down, "b")]
    public void Maintenance_Over_BeginsAsANewOneDoes(HealthCheckInitialState initial, string first)
    {
        var active = new ActiveHealthCheckConfig { InitialState = initial };
        var cluster = new TestCluster(
            TestCluster.Config(("a", new()), ("b", new())) with { LoadBalancingPolicy = "FirstAlphabetical", HealthCheck = new HealthCheckConfig { Active = active } },
            new FirstAlphabeticalPolicy());
        cluster.State.SetUpByChecks(cluster.Destination("a"), isUp: true);
        cluster.State.SetUpByChecks(cluster.Destination("b"), isUp: true);
        Set(cluster, "a", s_maintenance);
        Set(cluster, "a", default);
        Assert.Equal(first, cluster.Run(1));
    }

    private static TestCluster Cluster(string policy, params int[] weights)
    {
        var config = TestCluster.Config(weights.Select((weight, i) => (((char)('a' + i)).ToString(), new DestinationConfig { Weight = weight })).ToArray());
        return new TestCluster(config with { LoadBalancingPolicy = policy }, LoadBalancingPolicyRegistry.CreateBuiltIn().Single(built => built.Name == policy));
    }

    /// <summary>Sessions with keys of their own that stay; how many each destination got.</summary>
    private static Dictionary<string, int> Open(TestCluster cluster, int sessions)
    {
        var counts = new Dictionary<string, int>();
        for (var i = 0; i < sessions; i++)
        {
            var attempts = new DialAttempts { Key = KeyHash.Of($"key {i}") };
            var id = cluster.State.Next(ref attempts)!.Id;
            counts[id] = counts.GetValueOrDefault(id) + 1;
        }

        return counts;
    }

    private static void Set(TestCluster cluster, string id, DestinationControl control) => Change(cluster, id, config => config with { Control = control });

    private static void SetWeight(TestCluster cluster, string id, int weight) => Change(cluster, id, config => config with { Weight = weight });

    private static void Change(TestCluster cluster, string id, Func<DestinationConfig, DestinationConfig> change)
    {
        var config = cluster.State.Model.Config;
        var destinations = ConfigMap.Create<DestinationConfig>();
        foreach (var (key, destination) in config.Destinations)
        {
            destinations.Add(key, key == id ? change(destination) : destination);
        }

        cluster.Reload(config with { Destinations = destinations });
    }

    private static void Down(TestCluster cluster, string id) => cluster.State.SetUpByChecks(cluster.Destination(id), isUp: false);
}
