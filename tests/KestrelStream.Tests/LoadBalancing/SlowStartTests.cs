using KestrelStream.Configuration;
using KestrelStream.LoadBalancing;
using KestrelStream.Model;
using KestrelStream.Tests.Model;
using Xunit;

namespace KestrelStream.Tests.LoadBalancing;

public class SlowStartTests
{
    private const int Sessions = 3_000;

    /// <summary>a has come back; b and c share the rest. The whole weight is a third.</summary>
    [Theory]
    [InlineData("RoundRobin", 30, 0.19, 0.21)]
    [InlineData("RoundRobin", 6, 0.03, 0.08)]
    [InlineData("RoundRobin", 60.1, 0.333, 0.334)]
    [InlineData("LeastConnections", 30, 0.19, 0.21)]
    [InlineData("LeastConnections", 6, 0.04, 0.06)]
    [InlineData("LeastLatency", 30, 0.19, 0.21)]
    [InlineData("Random", 30, 0.17, 0.23)]
    [InlineData("PowerOfTwoChoices", 30, 0.17, 0.23)]
    [InlineData("ConsistentHash", 30, 0.10, 0.25)]
    [InlineData("ConsistentHash", 60.1, 0.25, 0.42)]
    public void Open_SomeTimeAfterReturn_GetsThatPartOfItsWeight(string policyName, double seconds, double least, double most)
    {
        var cluster = Create(policyName, TimeSpan.FromSeconds(60), ("a", 1), ("b", 1), ("c", 1));
        BringBack(cluster, "a");
        cluster.Time.Advance(TimeSpan.FromSeconds(seconds));

        Assert.InRange(Count(cluster, "a") / (double)Sessions, least, most);
    }

    [Fact]
    public void Open_NoSlowStart_HasItsWholeWeightAtOnce()
    {
        var cluster = Create("LeastConnections", TimeSpan.Zero, ("a", 1), ("b", 1), ("c", 1));
        BringBack(cluster, "a");

        Assert.Equal(Sessions / 3, Count(cluster, "a"));
    }

    /// <summary>One unit of weight can be a part of one as well.</summary>
    [Fact]
    public void Open_RoundRobinJustReturned_GetsAFewSessionsAndIsNeverWithout()
    {
        var cluster = Create("RoundRobin", TimeSpan.FromSeconds(60), ("a", 1), ("b", 1), ("c", 1));
        BringBack(cluster, "a");

        Assert.InRange(Count(cluster, "a"), 1, Sessions / 50);
    }

    [Fact]
    public void Open_NobodyElseIsThere_GetsThemAll()
    {
        var cluster = Create("RoundRobin", TimeSpan.FromSeconds(60), ("a", 1), ("b", 0), ("c", 0));
        BringBack(cluster, "a");

        Assert.Equal(Sessions, Count(cluster, "a"));
    }

    [Fact]
    public void Apply_DuringSlowStart_GoesOn()
    {
        var cluster = Create("LeastConnections", TimeSpan.FromSeconds(60), ("a", 1), ("b", 1), ("c", 1));
        BringBack(cluster, "a");
        cluster.Time.Advance(TimeSpan.FromSeconds(30));

        cluster.Reload(cluster.State.Model.Config with { DialBudget = TimeSpan.FromSeconds(9) });

        Assert.InRange(Count(cluster, "a") / (double)Sessions, 0.19, 0.21);
    }

    [Fact]
    public void SetUpByChecks_OfOneThatWasDown_BeginsASlowStart()
    {
        var cluster = Create("LeastConnections", TimeSpan.FromSeconds(60), ("a", 1), ("b", 1), ("c", 1));

        cluster.State.SetUpByChecks(cluster.Destination("a"), isUp: false);
        cluster.State.SetUpByChecks(cluster.Destination("a"), isUp: true);
        cluster.Time.Advance(TimeSpan.FromSeconds(30));

        Assert.InRange(Count(cluster, "a") / (double)Sessions, 0.19, 0.21);
    }

    private static TestCluster Create(string policyName, TimeSpan slowStart, params (string Id, int Weight)[] members)
    {
        ILoadBalancingPolicy policy = policyName switch
        {
            "RoundRobin" => new RoundRobinPolicy(),
            "LeastConnections" => new LeastConnectionsPolicy(),
            "LeastLatency" => new LeastLatencyPolicy(),
            "Random" => new RandomPolicy(new Random(3)),
            "PowerOfTwoChoices" => new PowerOfTwoChoicesPolicy(new Random(3)),
            _ => new ConsistentHashPolicy(),
        };
        return new(TestCluster.Config([.. members.Select(member => (member.Id, new DestinationConfig { Weight = member.Weight }))]) with { SlowStart = slowStart }, policy);
    }

    /// <summary>One failed dial, the penalty, and a trial that succeeds.</summary>
    private static void BringBack(TestCluster cluster, string id)
    {
        var destination = cluster.Destination(id);
        for (var key = 1; destination.Health != KestrelStream.Health.DestinationHealth.Unhealthy; key++)
        {
            Session(cluster, key, other => other != id);
        }

        cluster.Time.Advance(TimeSpan.FromSeconds(10.1));
        for (var key = 1; destination.Health == KestrelStream.Health.DestinationHealth.Unhealthy; key++)
        {
            Session(cluster, key, _ => true);
        }
    }

    private static void Session(TestCluster cluster, int key, Func<string, bool> isUp)
    {
        var attempts = new DialAttempts { Key = KeyHash.Mix((ulong)key) };
        while (cluster.State.Next(ref attempts) is { } destination)
        {
            if (isUp(destination.Id))
            {
                cluster.State.DialSucceeded(destination, attempts, TimeSpan.FromMilliseconds(1));
                cluster.State.Release(destination);
                return;
            }

            cluster.State.DialFailed(destination, ref attempts);
        }
    }

    /// <summary>Of so many sessions that stay open.</summary>
    private static int Count(TestCluster cluster, string id)
    {
        // The same dial time for everybody, as of now: only weight and sessions are to count.
        foreach (var destination in cluster.State.Model.Destinations)
        {
            destination.DialLatency.Add(TimeSpan.FromMilliseconds(1), now: 0, oldest: long.MaxValue);
        }

        for (var i = 0; i < Sessions; i++)
        {
            var attempts = new DialAttempts { Key = KeyHash.Mix((ulong)(i + 100_000)) };
            Assert.NotNull(cluster.State.Next(ref attempts));
        }

        return cluster.Destination(id).ActiveSessions;
    }
}
