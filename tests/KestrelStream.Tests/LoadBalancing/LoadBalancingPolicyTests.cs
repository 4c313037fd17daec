using KestrelStream.Configuration;
using KestrelStream.Health;
using KestrelStream.LoadBalancing;
using KestrelStream.Model;
using KestrelStream.Tests.Model;
using Xunit;

namespace KestrelStream.Tests.LoadBalancing;

public class LoadBalancingPolicyTests
{
    [Fact]
    public void LeastConnections_Weights_EvensSessionsByWeight()
    {
        var cluster = new TestCluster(Weights(1, 2, 5), new LeastConnectionsPolicy());

        for (var i = 0; i < 800; i++)
        {
            cluster.Open();
        }

        Assert.Equal([100, 200, 500], cluster.State.Model.Destinations.Select(destination => destination.ActiveSessions));
    }

    [Fact]
    public void LeastConnections_SessionsEnd_GoesToTheFreedOne()
    {
        var cluster = new TestCluster(Weights(1, 1, 1), new LeastConnectionsPolicy());
        Assert.Equal("a b c c b a", string.Join(' ', Enumerable.Range(0, 6).Select(_ => cluster.Open())));

        cluster.State.Release(cluster.Destination("b"));
        cluster.State.Release(cluster.Destination("b"));

        Assert.Equal(["b", "b"], [cluster.Open(), cluster.Open()]);
    }

    [Fact]
    public void LeastConnections_Idle_TakesTurnsByWeight()
        => Assert.Equal("a a b a c a a", new TestCluster(Weights(5, 1, 1), new LeastConnectionsPolicy()).Run(7));

    [Fact]
    public void Random_Weights_DrawsByWeight()
    {
        var cluster = new TestCluster(Weights(1, 0, 3, 6), new RandomPolicy(new Random(1)));

        cluster.Run(20_000);

        var sessions = cluster.State.Model.Destinations.Select(destination => destination.TotalSessions).ToArray();
        Assert.InRange(sessions[0], 1_850, 2_150);
        Assert.Equal(0, sessions[1]);
        Assert.InRange(sessions[2], 5_750, 6_250);
        Assert.InRange(sessions[3], 11_700, 12_300);
    }

    /// <summary>Redrawing does not find one in 65,536; the turns do.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Random_OnlyAnUnlikelyOneIsLeft_PicksIt(bool twoChoices)
    {
        var cluster = new TestCluster(
            TestCluster.Config(("a", new DestinationConfig { Weight = 65_535, MaxConnections = 1 }), ("b", new DestinationConfig()), ("c", new DestinationConfig())),
            twoChoices ? new PowerOfTwoChoicesPolicy(new Random(1)) : new RandomPolicy(new Random(1)));
        while (cluster.Open() != "a")
        {
        }

        Assert.All(cluster.Run(50).Split(' '), id => Assert.NotEqual("a", id));
    }

    [Fact]
    public void PowerOfTwoChoices_LongSessions_StaysNearlyEven()
    {
        var cluster = new TestCluster(Weights([.. Enumerable.Repeat(1, 20)]), new PowerOfTwoChoicesPolicy(new Random(1)));

        for (var i = 0; i < 2_000; i++)
        {
            cluster.Open();
        }

        // Purely random choice would be off by some 20.
        Assert.All(cluster.State.Model.Destinations, destination => Assert.InRange(destination.ActiveSessions, 95, 105));
    }

    [Fact]
    public void PowerOfTwoChoices_TwoMembers_TakesTheLessLoaded()
    {
        var cluster = new TestCluster(Weights(1, 3), new PowerOfTwoChoicesPolicy(new Random(1)));

        for (var i = 0; i < 400; i++)
        {
            cluster.Open();
        }

        Assert.Equal([100, 300], cluster.State.Model.Destinations.Select(destination => destination.ActiveSessions));
    }

    [Fact]
    public void FirstAlphabetical_OrderOfKeysAndCase_PicksFirstById()
    {
        var cluster = new TestCluster(
            TestCluster.Config(
                ("zeta", new DestinationConfig()), ("Beta", new DestinationConfig { MaxConnections = 1 }), ("alpha", new DestinationConfig { Weight = 0 })),
            new FirstAlphabeticalPolicy());

        Assert.Equal(["Beta", "zeta", "zeta"], [cluster.Open(), cluster.Open(), cluster.Open()]);
    }

    [Fact]
    public void Custom_ContextOfAPick_ShowsDestinationsAndWhichAreAvailable()
    {
        var seen = new List<string>();
        var policy = new CustomPolicy((in LoadBalancingContext context) =>
        {
            for (var i = 0; i < context.Count; i++)
            {
                seen.Add($"{context.ClusterId} {context[i].Id} {context[i].Address} {context[i].Weight} {context[i].ActiveSessions} {context[i].Health} {context.IsAvailable(i)}");
            }

            Assert.Equal(seen.Count(text => text.EndsWith("True", StringComparison.Ordinal)), context.AvailableCount);
            return context.NextInTurn();
        });
        var cluster = new TestCluster(
            TestCluster.Config(
                ("a", new DestinationConfig { Address = "LocalHost:5432", Weight = 0 }),
                ("b", new DestinationConfig { Address = "[::1]:1", Weight = 3 }),
                ("x", new DestinationConfig { Backup = true })),
            policy);
        cluster.Run(1);
        seen.Clear();

        Assert.Equal("b", cluster.Open());

        Assert.Equal(["web a localhost:5432 0 0 Unknown False", "web b [::1]:1 3 0 Healthy True"], seen);
    }

    [Fact]
    public void Custom_ChoosesNone_SessionGoesToBackups()
    {
        var cluster = new TestCluster(
            TestCluster.Config(("a", new DestinationConfig()), ("x", new DestinationConfig { Backup = true })),
            new CustomPolicy((in LoadBalancingContext context) => context[0].Id == "a" ? -1 : 0));

        Assert.Equal("x", cluster.Open());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Custom_ChoosesOneThatIsNotAvailable_ThrowsAndTakesNoSlot(int choice)
    {
        var cluster = new TestCluster(Weights(0, 1), new CustomPolicy((in LoadBalancingContext _) => choice));

        var exception = Assert.Throws<InvalidOperationException>(cluster.Open);

        Assert.Contains("'Custom'", exception.Message, StringComparison.Ordinal);
        Assert.All(cluster.State.Model.Destinations, destination => Assert.Equal(0, destination.ActiveSessions));
    }

    /// <summary>A policy that looked before another session took the last slot is asked again, without that destination.</summary>
    [Fact]
    public void Custom_ChoosesOneThatHasJustBecomeFull_IsAskedAgain()
    {
        TestCluster? cluster = null;
        var calls = 0;
        var policy = new CustomPolicy((in LoadBalancingContext context) =>
        {
            if (++calls == 1)
            {
                Assert.True(cluster!.Destination("a").TryTakeSlot());
            }

            return context.IsAvailable(0) ? 0 : 1;
        });
        cluster = new TestCluster(TestCluster.Config(("a", new DestinationConfig { MaxConnections = 1 }), ("b", new DestinationConfig())), policy);

        Assert.Equal("b", cluster.Open());
        Assert.Equal(2, calls);
        Assert.Equal(1, cluster.Destination("a").ActiveSessions);
    }

    private static ClusterConfig Weights(params int[] weights)
        => TestCluster.Config([.. weights.Select((weight, i) => (((char)('a' + i)).ToString(), new DestinationConfig { Weight = weight }))]);

    private delegate int Choice(in LoadBalancingContext context);

    private sealed class CustomPolicy(Choice choice) : ILoadBalancingPolicy
    {
        public string Name => "Custom";

        public int Pick(in LoadBalancingContext context) => choice(context);
    }
}
