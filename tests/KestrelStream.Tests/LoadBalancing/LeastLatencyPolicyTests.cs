using KestrelStream.Configuration;
using KestrelStream.LoadBalancing;
using KestrelStream.Model;
using KestrelStream.Tests.Model;
using Xunit;

namespace KestrelStream.Tests.LoadBalancing;

public class LeastLatencyPolicyTests
{
    [Fact]
    public void Pick_OneIsSlow_TakesTheFastOne()
    {
        var cluster = Create(("a", 1), ("b", 1));
        Dial(cluster, id => id == "a" ? 40 : 2, sessions: 4);

        Assert.All(Dial(cluster, id => id == "a" ? 40 : 2, sessions: 20), id => Assert.Equal("b", id));
    }

    [Fact]
    public void Pick_SessionsPileUp_SharesInverselyToLatency()
    {
        var cluster = Create(("a", 1), ("b", 1));
        Dial(cluster, id => id == "a" ? 30 : 10, sessions: 4);

        for (var i = 0; i < 400; i++)
        {
            cluster.Open();
        }

        Assert.InRange(cluster.Destination("b").ActiveSessions, 296, 304);
    }

    [Fact]
    public void Pick_SameLatency_SharesByWeight()
    {
        var cluster = Create(("a", 1), ("b", 3));
        Dial(cluster, _ => 5, sessions: 8);

        for (var i = 0; i < 400; i++)
        {
            cluster.Open();
        }

        Assert.InRange(cluster.Destination("b").ActiveSessions, 297, 303);
    }

    /// <summary>The average follows: what became slow loses its sessions within some dials, and one late dial is no verdict.</summary>
    [Fact]
    public void Pick_LatencyChanges_FollowsAndOneLateDialIsForgiven()
    {
        var cluster = Create(("a", 1), ("b", 1));
        Dial(cluster, id => id == "a" ? 5 : 20, sessions: 4);

        Dial(cluster, _ => 50, sessions: 1);
        Assert.Equal("a", Dial(cluster, _ => 5, sessions: 1)[0]);

        var afterwards = Dial(cluster, id => id == "a" ? 200 : 20, sessions: 10);
        Assert.All(afterwards[2..], id => Assert.Equal("b", id));
    }

    [Fact]
    public void Pick_SlowOneNotDialledForLong_IsTriedAgain()
    {
        var cluster = Create(("a", 1), ("b", 1));
        Dial(cluster, id => id == "a" ? 40 : 10, sessions: 4);

        var picked = new List<string>();
        for (var i = 0; i < 6; i++)
        {
            cluster.Time.Advance(TimeSpan.FromSeconds(10.1));
            picked.AddRange(Dial(cluster, id => id == "a" ? 40 : 10, sessions: 3));
        }

        Assert.Contains("a", picked);
        Assert.InRange(picked.Count(id => id == "a"), 1, 4);
    }

    private static TestCluster Create(params (string Id, int Weight)[] members)
        => new(TestCluster.Config([.. members.Select(member => (member.Id, new DestinationConfig { Weight = member.Weight }))]), new LeastLatencyPolicy());

    /// <summary>Sessions one after another, whose dials take as long as given, in milliseconds.</summary>
    private static List<string> Dial(TestCluster cluster, Func<string, double> milliseconds, int sessions)
    {
        var ids = new List<string>();
        for (var i = 0; i < sessions; i++)
        {
            var attempts = default(DialAttempts);
            var destination = cluster.State.Next(ref attempts)!;
            cluster.State.DialSucceeded(destination, attempts, TimeSpan.FromMilliseconds(milliseconds(destination.Id)));
            cluster.State.Release(destination);
            ids.Add(destination.Id);
        }

        return ids;
    }
}
