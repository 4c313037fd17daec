using KestrelStream.Configuration;
using KestrelStream.Tests.Model;
using Xunit;

namespace KestrelStream.Tests.LoadBalancing;

public class RoundRobinPolicyTests
{
    /// <summary>Orders as nginx gives them from its start, one period and the beginning of the next.</summary>
    [Theory]
    [InlineData(new[] { 1 }, "a a a")]
    [InlineData(new[] { 1, 1, 1 }, "a b c a b c a")]
    [InlineData(new[] { 5, 1, 1 }, "a a b a c a a a a b")]
    [InlineData(new[] { 1, 5, 1 }, "b b a b c b b b b a")]
    [InlineData(new[] { 4, 2, 1 }, "a b a c a b a a b a")]
    [InlineData(new[] { 3, 2 }, "a b a b a a b")]
    [InlineData(new[] { 2, 3, 5 }, "c b a c b c c a b c c b")]
    [InlineData(new[] { 10, 20, 30 }, "c b a c b c c b")]
    [InlineData(new[] { 7, 3 }, "a b a a a b a a b a a b")]
    [InlineData(new[] { 1, 0, 1 }, "a c a c a")]
    [InlineData(new[] { 65_535, 1 }, "a a a a")]
    public void Pick_Weights_FollowsNginxOrder(int[] weights, string order)
        => Assert.Equal(order, TestCluster.OfWeights(weights).Run(order.Split(' ').Length));

    [Fact]
    public void Pick_HundredWeights_GivesEachExactlyItsShareInOnePeriod()
    {
        var weights = Enumerable.Range(0, 100).Select(i => 1 + (i * 7 % 13)).ToArray();
        var cluster = new TestCluster(TestCluster.Config([.. weights.Select((weight, i) => ($"d{i:00}", new DestinationConfig { Weight = weight }))]));

        cluster.Run(3 * weights.Sum());

        Assert.All(cluster.State.Model.Destinations, (destination, i) => Assert.Equal(3 * weights[i], destination.TotalSessions));
    }

    /// <summary>Their weights together do not fit in the sums of the turns.</summary>
    [Fact]
    public void Pick_FortyThousandOfGreatestWeight_StaysFair()
    {
        var heavy = Enumerable.Range(0, 40_000).Select(i => ($"d{i:00000}", new DestinationConfig { Weight = 65_535 }));
        var cluster = new TestCluster(TestCluster.Config([.. heavy, ("e", new DestinationConfig { Weight = 1 })]));

        var order = cluster.Run(100).Split(' ');

        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"d{i:00000}"), order);
    }

    [Fact]
    public void Pick_OneFull_OthersShareByWeightAndNobodyCatchesUp()
    {
        var cluster = new TestCluster(TestCluster.Config(
            ("a", new DestinationConfig { Weight = 5, MaxConnections = 1 }), ("b", new DestinationConfig { Weight = 2 }), ("c", new DestinationConfig())));
        Assert.Equal("a", cluster.Open());

        var whileFull = cluster.Run(300).Split(' ');
        cluster.State.Release(cluster.Destination("a"));
        var afterwards = cluster.Run(8).Split(' ');

        Assert.Equal(200, whileFull.Count(id => id == "b"));
        Assert.Equal(100, whileFull.Count(id => id == "c"));
        Assert.InRange(afterwards.Count(id => id == "a"), 4, 6);
    }

    [Fact]
    public void Pick_AfterRecovery_GivesShareBackStepByStep()
    {
        // One failure of MaxFails 1 takes all of the effective weight; each turn gives 1 of 10 back.
        var cluster = new TestCluster(TestCluster.Config(("a", new DestinationConfig { Weight = 10 }), ("b", new DestinationConfig { Weight = 10 })));
        Assert.Equal("a>b", cluster.Run(id => id != "a"));
        Assert.Equal("b b b", cluster.Run(3));
        cluster.Time.Advance(TimeSpan.FromSeconds(11));

        var first = cluster.Run(10).Split(' ').Count(id => id == "a");
        var second = cluster.Run(10).Split(' ').Count(id => id == "a");
        var later = cluster.Run(100).Split(' ').Count(id => id == "a");

        Assert.InRange(first, 1, 4);
        Assert.InRange(second, 5, 7);
        Assert.InRange(later, 49, 51);
    }
}
