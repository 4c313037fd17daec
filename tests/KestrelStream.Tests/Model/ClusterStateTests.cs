using KestrelStream.Configuration;
using KestrelStream.LoadBalancing;
using KestrelStream.Model;
using Xunit;

namespace KestrelStream.Tests.Model;

public class ClusterStateTests
{
    [Fact]
    public void Next_DialFails_TriesEachDestinationOnce()
    {
        var cluster = TestCluster.OfWeights(5, 1, 1);

        var tried = cluster.Run(_ => false);

        Assert.Equal("a>b>c>-", tried);
        Assert.All(cluster.State.Model.Destinations, destination => Assert.Equal((0, 1, 0), (destination.ActiveSessions, destination.DialFailures, destination.TotalSessions)));
    }

    [Fact]
    public void Next_WeightZero_IsNeverPickedNotEvenAsLast()
    {
        var cluster = TestCluster.OfWeights(1, 0);

        Assert.Equal("a>-", cluster.Run(_ => false));
    }

    [Fact]
    public void Next_AllWeightsZero_IsNone() => Assert.Equal("-", TestCluster.OfWeights(0, 0).Open());

    [Fact]
    public void Next_PrimariesTried_GoesToBackupsAndStaysThere()
    {
        var cluster = new TestCluster(TestCluster.Config(
            ("a", new DestinationConfig()), ("b", new DestinationConfig()),
            ("x", new DestinationConfig { Backup = true }), ("y", new DestinationConfig { Backup = true })));

        Assert.Equal("a>b>x>y>-", cluster.Run(_ => false));
        Assert.Equal("-", cluster.Open());
    }

    [Fact]
    public void Next_PrimaryReturnsWhileSessionIsOnBackups_SessionStaysThere()
    {
        var cluster = new TestCluster(TestCluster.Config(
            ("a", new DestinationConfig { MaxConnections = 1 }),
            ("x", new DestinationConfig { Backup = true }), ("y", new DestinationConfig { Backup = true })));
        Assert.Equal("a", cluster.Open());
        var attempts = default(DialAttempts);
        var first = cluster.State.Next(ref attempts)!;
        Assert.Equal("x", first.Id);
        Assert.Equal(1, attempts.Tier);

        cluster.State.Release(cluster.Destination("a"));
        cluster.State.DialFailed(first, ref attempts);

        Assert.Equal("y", cluster.State.Next(ref attempts)!.Id);
        Assert.Equal(2, attempts.Count);
        Assert.Equal("a", cluster.Open());
    }

    [Fact]
    public void Next_OnlyBackups_UsesThem()
        => Assert.Equal("x", new TestCluster(TestCluster.Config(("x", new DestinationConfig { Backup = true }))).Open());

    [Fact]
    public void Next_PrimariesFull_UsesBackupsThenNone()
    {
        var cluster = new TestCluster(TestCluster.Config(
            ("a", new DestinationConfig { MaxConnections = 2 }), ("x", new DestinationConfig { Backup = true, MaxConnections = 1 })));

        Assert.Equal(["a", "a", "x", "-"], [cluster.Open(), cluster.Open(), cluster.Open(), cluster.Open()]);

        cluster.State.Release(cluster.Destination("a"));
        Assert.Equal(["a", "-"], [cluster.Open(), cluster.Open()]);
    }

    [Fact]
    public void Next_MoreThanSixtyFourMembers_TriesEachOnce()
    {
        var cluster = new TestCluster(TestCluster.Config(
            [.. Enumerable.Range(0, 150).Select(i => ($"d{i:000}", new DestinationConfig { Backup = i >= 80 }))]));

        var tried = cluster.Run(_ => false).Split('>');

        Assert.Equal([.. Enumerable.Range(0, 150).Select(i => $"d{i:000}"), "-"], tried);
        Assert.All(cluster.State.Model.Destinations, destination => Assert.Equal(0, destination.ActiveSessions));
    }

    [Fact]
    public void Apply_SameIdAndAddress_KeepsStateAndTurns()
    {
        var cluster = TestCluster.OfWeights(5, 1, 1);
        Assert.Equal("a a b", cluster.Run(3));
        Assert.Equal("a", cluster.Open());
        var before = cluster.State.Model.Destinations;

        cluster.Reload(TestCluster.OfWeights(5, 1, 1).State.Model.Config);

        Assert.Equal(before.ToArray(), cluster.State.Model.Destinations.ToArray());
        Assert.Equal(1, cluster.Destination("a").ActiveSessions);
        Assert.Equal("c a a", cluster.Run(3));
    }

    [Fact]
    public void Apply_OtherAddress_StartsAfresh()
    {
        var cluster = TestCluster.OfWeights(1, 1);
        var before = cluster.Destination("a");
        Assert.Equal("a>b", cluster.Run(id => id != "a"));

        cluster.Reload(TestCluster.Config(("a", new DestinationConfig { Address = "10.9.9.9:443" }), ("b", new DestinationConfig { Address = "10.0.0.1:443" })));

        Assert.NotSame(before, cluster.Destination("a"));
        Assert.Equal(0, cluster.Destination("a").DialFailures);
        Assert.Contains("a", cluster.Run(2), StringComparison.Ordinal);
    }

    [Fact]
    public void Apply_DestinationOut_StaysOutAndItsShareStaysSmall()
    {
        var cluster = TestCluster.OfWeights(10, 10);
        Assert.Equal("a>b", cluster.Run(id => id != "a"));

        cluster.Reload(TestCluster.OfWeights(10, 10, 0).State.Model.Config);

        Assert.DoesNotContain("a", cluster.Run(20), StringComparison.Ordinal);
        cluster.Time.Advance(TimeSpan.FromSeconds(10.1));
        // It began again at 0 of 10.
        Assert.InRange(cluster.Run(10).Split(' ').Count(id => id == "a"), 1, 4);
        Assert.InRange(cluster.Run(100).Split(' ').Count(id => id == "a"), 47, 51);
    }

    [Fact]
    public void Apply_PassiveSwitchedOff_PutsEveryDestinationBack()
    {
        var cluster = TestCluster.OfWeights(1, 1);
        Assert.Equal("a>b>-", cluster.Run(_ => false));

        cluster.Reload(TestCluster.WithPassive(cluster.State.Model.Config, 1, enabled: false));
        Assert.Equal(2, cluster.Run(4).Split(' ').Distinct().Count());

        cluster.Reload(TestCluster.WithPassive(cluster.State.Model.Config, 1));
        Assert.Equal(2, cluster.Run(4).Split(' ').Distinct().Count());
    }

    [Fact]
    public void Apply_DestinationRemoved_IsNotPickedAndItsSessionsEndWell()
    {
        var cluster = TestCluster.OfWeights(1, 1);
        var attempts = default(DialAttempts);
        var removed = cluster.State.Next(ref attempts)!;
        cluster.State.DialSucceeded(removed, attempts);

        cluster.Reload(TestCluster.Config(("b", new DestinationConfig { Address = "10.0.0.1:443" })));

        Assert.Equal("b b b", cluster.Run(3));
        cluster.State.Release(removed);
        Assert.Equal(0, removed.ActiveSessions);
    }

    [Fact]
    public void Apply_BetweenTwoDials_TriedOnesStayTriedAndRemovedOnesAreGone()
    {
        var cluster = TestCluster.OfWeights(1, 1, 1);
        cluster.Reload(TestCluster.WithPassive(cluster.State.Model.Config, maxFails: 2));
        var attempts = default(DialAttempts);
        var first = cluster.State.Next(ref attempts)!;
        Assert.Equal("a", first.Id);

        var next = TestCluster.Config(
            ("0", new DestinationConfig { Address = "10.1.1.1:1" }),
            ("a", new DestinationConfig { Address = first.Address.ToString() }),
            ("c", new DestinationConfig { Address = cluster.Destination("c").Address.ToString() }));
        cluster.Reload(TestCluster.WithPassive(next, maxFails: 2));
        cluster.State.DialFailed(first, ref attempts);

        Assert.Equal("0", cluster.State.Next(ref attempts)!.Id);
        Assert.Equal("c", cluster.State.Next(ref attempts)!.Id);
        Assert.Null(cluster.State.Next(ref attempts));
        Assert.Equal(3, attempts.Count);
        // The failure was counted for the new model: one more takes it out.
        Assert.Equal(1, Enumerable.Range(0, 9).Count(_ => cluster.Run(id => id != "a").Contains('a', StringComparison.Ordinal)));
    }

    [Fact]
    public void Apply_LimitLowered_NobodyIsAddedUntilEnoughHaveLeft()
    {
        var cluster = new TestCluster(TestCluster.Config(("a", new DestinationConfig { MaxConnections = 3 })));
        Assert.Equal(["a", "a", "a"], [cluster.Open(), cluster.Open(), cluster.Open()]);

        cluster.Reload(TestCluster.Config(("a", new DestinationConfig { MaxConnections = 2 })));

        cluster.State.Release(cluster.Destination("a"));
        Assert.Equal("-", cluster.Open());
        cluster.State.Release(cluster.Destination("a"));
        Assert.Equal(["a", "-"], [cluster.Open(), cluster.Open()]);
    }

    [Fact]
    public void Apply_OtherPolicyAndWeights_TakeEffect()
    {
        var cluster = TestCluster.OfWeights(1, 1);
        var model = ClusterModel.Create(
            TestCluster.Config(("a", new DestinationConfig { Weight = 0 }), ("b", new DestinationConfig { Weight = 7 })), new FirstAlphabeticalPolicy(), cluster.Time, cluster.State.Model);

        cluster.State.Apply(model);

        Assert.Same(model, cluster.State.Model);
        Assert.Equal("b b", cluster.Run(2));
        Assert.Equal(7, cluster.Destination("b").Weight);
    }

    [Theory]
    [InlineData("RoundRobin", 100)]
    [InlineData("LeastConnections", 100)]
    [InlineData("LeastLatency", 100)]
    [InlineData("ConsistentHash", 100)]
    [InlineData("ConsistentHash", 3_000)]
    [InlineData("Random", 100)]
    [InlineData("PowerOfTwoChoices", 100)]
    [InlineData("FirstAlphabetical", 100)]
    [InlineData("RoundRobin", 3_000)]
    public void Next_NormalPath_AllocatesNothing(string policyName, int members)
    {
        Assert.True(new LoadBalancingPolicyRegistry(LoadBalancingPolicyRegistry.CreateBuiltIn()).TryGet(policyName, out var policy));
        var cluster = new TestCluster(
            TestCluster.Config([.. Enumerable.Range(0, members).Select(i => ($"d{i:0000}", new DestinationConfig { MaxConnections = 1 + (i % 3) }))]), policy);
        RunSessions(cluster.State, 50);

        var before = GC.GetAllocatedBytesForCurrentThread();
        RunSessions(cluster.State, 200);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Next_AllOfSixtyFourFail_AllocatesNothing()
    {
        var cluster = new TestCluster(TestCluster.WithPassive(
            TestCluster.Config([.. Enumerable.Range(0, 64).Select(i => ($"d{i:00}", new DestinationConfig()))]), 1, enabled: false));
        FailAll();

        var before = GC.GetAllocatedBytesForCurrentThread();
        var tried = FailAll();

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(64, tried);

        int FailAll()
        {
            var attempts = default(DialAttempts);
            while (cluster.State.Next(ref attempts) is { } destination)
            {
                cluster.State.DialFailed(destination, ref attempts);
            }

            return attempts.Count;
        }
    }

    private static void RunSessions(ClusterState cluster, int sessions)
    {
        for (var i = 0; i < sessions; i++)
        {
            var attempts = new DialAttempts { Key = KeyHash.Mix((ulong)i) };
            var destination = cluster.Next(ref attempts)!;
            cluster.DialSucceeded(destination, attempts);
            cluster.Release(destination);
        }
    }
}
