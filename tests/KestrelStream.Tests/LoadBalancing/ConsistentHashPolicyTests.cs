using System.Net;
using KestrelStream.Configuration;
using KestrelStream.LoadBalancing;
using KestrelStream.Model;
using KestrelStream.Tests.Model;
using Xunit;

namespace KestrelStream.Tests.LoadBalancing;

public class ConsistentHashPolicyTests
{
    private const int Keys = 20_000;

    [Fact]
    public void Pick_SameKey_AlwaysTheSameDestination()
    {
        var cluster = Create(10);

        for (var key = 1; key <= 200; key++)
        {
            var first = Pick(cluster, key);
            Assert.Equal(first, Pick(cluster, key));
        }
    }

    /// <summary>Another process, or a proxy beside this one: the choice comes from addresses and keys alone.</summary>
    [Fact]
    public void Pick_KnownKeys_FixedChoice()
    {
        var cluster = Create(5);
        var clients = new[] { "192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8::2", "203.0.113.77" };

        var picked = clients.Select(client => Pick(cluster, KeyHash.Of(HashKey.ClientIp, new IPEndPoint(IPAddress.Parse(client), 1), null)));

        Assert.Equal("d004 d002 d002 d000 d001 d001", string.Join(' ', picked));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(100)]
    public void Pick_OneMemberRemovedByReload_MovesOnlyItsShare(int members)
    {
        var cluster = Create(members);
        var before = Enumerable.Range(1, Keys).Select(key => Pick(cluster, key)).ToArray();

        cluster.Reload(cluster.State.Model.Config with
        {
            Destinations = cluster.State.Model.Config.Destinations.Where(pair => pair.Key != "d003").ToDictionary(),
        });

        var moved = 0;
        for (var key = 1; key <= Keys; key++)
        {
            var after = Pick(cluster, key);
            if (before[key - 1] == "d003")
            {
                moved++;
                Assert.NotEqual("d003", after);
            }
            else
            {
                Assert.Equal(before[key - 1], after);
            }
        }

        Assert.InRange(moved / (double)Keys, 0.7 / members, 1.3 / members);
    }

    [Fact]
    public void Pick_Weights_SpreadsKeysByWeight()
    {
        var cluster = Create(1, 2, 0, 7);

        var counts = Enumerable.Range(1, Keys).CountBy(key => Pick(cluster, key)).ToDictionary();

        Assert.InRange(counts["d000"], 0.08 * Keys, 0.12 * Keys);
        Assert.InRange(counts["d001"], 0.17 * Keys, 0.23 * Keys);
        Assert.False(counts.ContainsKey("d002"));
        Assert.InRange(counts["d003"], 0.66 * Keys, 0.74 * Keys);
    }

    /// <summary>Points have a limit; the shares stay, and so do the choices among the first points of everyone.</summary>
    [Fact]
    public void Pick_ManyOfGreatWeight_StaysSpread()
    {
        var cluster = Create([.. Enumerable.Repeat(60_000, 50)]);

        var counts = Enumerable.Range(1, Keys).CountBy(key => Pick(cluster, key)).ToDictionary();

        Assert.Equal(50, counts.Count);
        Assert.All(counts.Values, count => Assert.InRange(count, 0.75 * Keys / 50, 1.25 * Keys / 50));
    }

    [Fact]
    public void Pick_DestinationOutOrTried_GoesToTheNextOfTheRingAndComesBack()
    {
        var cluster = Create(4);
        var attempts = new DialAttempts { Key = KeyHash.Mix(5) };
        var first = cluster.State.Next(ref attempts)!;
        cluster.State.DialFailed(first, ref attempts);
        var second = cluster.State.Next(ref attempts)!;
        cluster.State.Release(second);

        Assert.NotEqual(first.Id, second.Id);
        Assert.Equal(second.Id, Pick(cluster, 5));

        cluster.Time.Advance(TimeSpan.FromSeconds(10.1));
        var trial = new DialAttempts { Key = KeyHash.Mix(5) };
        Assert.Same(first, cluster.State.Next(ref trial));
        cluster.State.DialSucceeded(first, trial);
        cluster.State.Release(first);
        Assert.Equal(first.Id, Pick(cluster, 5));
    }

    [Fact]
    public void Pick_NoKey_TakesTurns()
    {
        var cluster = Create(5, 1, 1);

        Assert.Equal("d000 d000 d001 d000 d002 d000 d000", cluster.Run(7));
    }

    [Theory]
    [InlineData(1.0, 100, 100)]
    [InlineData(1.25, 75, 125)]
    public void Pick_BalanceFactor_NobodyHasMoreThanItsBound(double factor, int least, int most)
    {
        var cluster = new TestCluster(Config(1, 1, 1, 1) with { Hash = new HashConfig { BalanceFactor = factor } }, new ConsistentHashPolicy());

        // One client that opens all of them: without a bound they would all go to one destination.
        for (var i = 0; i < 400; i++)
        {
            var attempts = new DialAttempts { Key = KeyHash.Mix(9) };
            Assert.NotNull(cluster.State.Next(ref attempts));
            var bound = Math.Ceiling(factor * (i + 1) / 4);
            Assert.All(cluster.State.Model.Destinations, destination => Assert.InRange(destination.ActiveSessions, 0, bound));
        }

        Assert.Equal(400, cluster.State.Model.Destinations.Sum(destination => destination.ActiveSessions));
        Assert.InRange(cluster.State.Model.Destinations.Max(destination => destination.ActiveSessions), least, most);
    }

    [Fact]
    public void Peek_Key_IsWhatNextGives()
    {
        var cluster = Create(9);

        for (var key = 1; key <= 50; key++)
        {
            Assert.Equal(cluster.State.Peek(KeyHash.Mix((ulong)key))!.Id, Pick(cluster, key));
        }
    }

    private static TestCluster Create(int members) => Create([.. Enumerable.Repeat(1, members)]);

    private static TestCluster Create(params int[] weights) => new(Config(weights), new ConsistentHashPolicy());

    private static ClusterConfig Config(params int[] weights)
        => TestCluster.Config([.. weights.Select((weight, i) => ($"d{i:000}", new DestinationConfig { Weight = weight }))]);

    private static string Pick(TestCluster cluster, int key) => Pick(cluster, KeyHash.Mix((ulong)key));

    private static string Pick(TestCluster cluster, ulong key)
    {
        var attempts = new DialAttempts { Key = key };
        var destination = cluster.State.Next(ref attempts)!;
        cluster.State.Release(destination);
        return destination.Id;
    }
}
