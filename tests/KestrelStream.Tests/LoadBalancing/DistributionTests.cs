using KestrelStream.Configuration;
using KestrelStream.LoadBalancing;
using KestrelStream.Tests.Model;
using Xunit;

namespace KestrelStream.Tests.LoadBalancing;

public class DistributionTests
{
    private const int Sessions = 10_000;

    /// <summary>Where the policy has no chance in it, each of a hundred members gets its share to within one percent of all sessions of its weight, or one session.</summary>
    [Theory]
    [InlineData("RoundRobin")]
    [InlineData("LeastConnections")]
    [InlineData("LeastLatency")]
    public void Open_TenThousandOverHundredMembers_WithinOnePercentOfWeight(string policyName)
    {
        Assert.True(new LoadBalancingPolicyRegistry(LoadBalancingPolicyRegistry.CreateBuiltIn()).TryGet(policyName, out var policy));
        var random = new Random(42);
        var weights = Enumerable.Range(0, 100).Select(_ => random.Next(1, 20)).ToArray();
        var cluster = new TestCluster(
            TestCluster.Config([.. weights.Select((weight, i) => ($"d{i:000}", new DestinationConfig { Weight = weight }))]), policy);

        for (var i = 0; i < Sessions; i++)
        {
            cluster.Open();
        }

        var sum = weights.Sum();
        Assert.All(cluster.State.Model.Destinations, (destination, i) =>
        {
            var share = (double)Sessions * weights[i] / sum;
            Assert.InRange(destination.ActiveSessions, (share * 0.99) - 1, (share * 1.01) + 1);
        });
    }

    /// <summary>Chance has its own spread: four standard deviations.</summary>
    [Fact]
    public void Random_TenThousandOverHundredMembers_WithinChanceOfWeight()
    {
        var random = new Random(42);
        var weights = Enumerable.Range(0, 100).Select(_ => random.Next(1, 20)).ToArray();
        var cluster = new TestCluster(
            TestCluster.Config([.. weights.Select((weight, i) => ($"d{i:000}", new DestinationConfig { Weight = weight }))]), new RandomPolicy(new Random(7)));

        for (var i = 0; i < Sessions; i++)
        {
            cluster.Open();
        }

        var sum = weights.Sum();
        Assert.All(cluster.State.Model.Destinations, (destination, i) =>
        {
            var share = (double)Sessions * weights[i] / sum;
            Assert.InRange(destination.ActiveSessions, share - (4 * Math.Sqrt(share)), share + (4 * Math.Sqrt(share)));
        });
    }
}
