using KestrelStream.Configuration;
using KestrelStream.LoadBalancing;
using KestrelStream.Model;
using Xunit;

namespace KestrelStream.Tests.Model;

public class SessionQueueTests
{
    [Fact]
    public async Task Release_SessionsWait_FirstComeFirstServed()
    {
        var cluster = Create(("a", 1));
        Assert.Equal("a", cluster.Open());
        var places = Enumerable.Range(0, 3).Select(_ => Enter(cluster)).ToArray();
        Assert.Equal(3, cluster.State.QueueLength);
        Assert.True(cluster.State.IsQueueing);

        foreach (var (place, i) in places.Select((place, i) => (place, i)))
        {
            Assert.All(places[i..], waiting => Assert.False(waiting.Turn.IsCompleted));
            cluster.State.Release(cluster.Destination("a"));
            Assert.Equal("a", (await place.Turn.WaitAsync(TestKit.Wait.Limit))!.Id);
            Assert.Equal(1, place.Attempts.Count);
        }

        Assert.Equal(0, cluster.State.QueueLength);
        Assert.Equal(1, cluster.Destination("a").ActiveSessions);
    }

    [Fact]
    public void TryQueue_AsManyWaitAsMay_IsFull()
    {
        var cluster = Create(("a", 1));
        cluster.Open();
        Enter(cluster);
        Enter(cluster);
        Enter(cluster);

        Assert.Null(cluster.State.TryQueue(default, out var isFull));
        Assert.True(isFull);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TryQueue_NoQueueOrNobodyFull_IsNeither(bool hasQueue)
    {
        var cluster = new TestCluster(TestCluster.Config(("a", new DestinationConfig()), ("b", new DestinationConfig())) with
        {
            Queue = hasQueue ? new QueueConfig { MaxLength = 3 } : null,
        });
        Assert.Equal("a>b>-", cluster.Run(_ => false));

        Assert.Null(cluster.State.TryQueue(default, out var isFull));
        Assert.False(isFull);
    }

    [Fact]
    public async Task Leave_OneInTheMiddle_OthersKeepTheirOrder()
    {
        var cluster = Create(("a", 1));
        cluster.Open();
        var places = Enumerable.Range(0, 3).Select(_ => Enter(cluster)).ToArray();

        places[1].Leave();
        places[1].Leave();

        Assert.Null(await places[1].Turn.WaitAsync(TestKit.Wait.Limit));
        Assert.Equal(2, cluster.State.QueueLength);
        cluster.State.Release(cluster.Destination("a"));
        Assert.True(places[0].Turn.IsCompleted);
        Assert.False(places[2].Turn.IsCompleted);
        cluster.State.Release(cluster.Destination("a"));
        Assert.Equal("a", (await places[2].Turn.WaitAsync(TestKit.Wait.Limit))!.Id);
    }

    [Fact]
    public async Task Apply_LimitRaised_ServesThoseWhoWait()
    {
        var cluster = Create(("a", 1));
        cluster.Open();
        var place = Enter(cluster);

        cluster.Reload(Config(("a", 2)));

        Assert.Equal("a", (await place.Turn.WaitAsync(TestKit.Wait.Limit))!.Id);
        Assert.Equal(2, cluster.Destination("a").ActiveSessions);
    }

    [Fact]
    public async Task Apply_MemberAdded_ServesThoseWhoWaitAndRemovedOneIsNotWaitedFor()
    {
        var cluster = Create(("a", 1));
        cluster.Open();
        var place = Enter(cluster);

        cluster.Reload(TestCluster.Config(("b", new DestinationConfig { Address = "10.7.7.7:1" })));

        Assert.Equal("b", (await place.Turn.WaitAsync(TestKit.Wait.Limit))!.Id);
        Assert.False(cluster.State.IsQueueing);
    }

    /// <summary>Whoever waits for a destination that turns out dead waits in vain.</summary>
    [Fact]
    public async Task DialFailed_TheLastOneGoesOut_QueueIsTold()
    {
        var cluster = Create(("a", 1), ("b", 1));
        var first = default(DialAttempts);
        var second = default(DialAttempts);
        var a = cluster.State.Next(ref first)!;
        var b = cluster.State.Next(ref second)!;
        var place = Enter(cluster);

        cluster.State.DialFailed(a, ref first);
        Assert.False(place.Turn.IsCompleted);
        cluster.State.DialFailed(b, ref second);

        Assert.Null(await place.Turn.WaitAsync(TestKit.Wait.Limit));
    }

    /// <summary>A queued session is not bound to the backups for having found the primaries full.</summary>
    [Fact]
    public async Task Release_PrimaryWhileBackupsAreFullToo_ServesFromThePrimary()
    {
        var cluster = new TestCluster(TestCluster.Config(
            ("a", new DestinationConfig { MaxConnections = 1 }), ("x", new DestinationConfig { MaxConnections = 1, Backup = true })) with { Queue = new QueueConfig { MaxLength = 1 } });
        Assert.Equal(["a", "x"], [cluster.Open(), cluster.Open()]);
        var place = Enter(cluster);

        cluster.State.Release(cluster.Destination("a"));

        Assert.Equal("a", (await place.Turn.WaitAsync(TestKit.Wait.Limit))!.Id);
    }

    [Fact]
    public async Task TryQueue_AfterAFailedDial_IsAheadAndDoesNotGetTheSameAgain()
    {
        var cluster = Create(("a", 1), ("b", 1));
        cluster.Reload(TestCluster.WithPassive(cluster.State.Model.Config, maxFails: 9));
        var failed = default(DialAttempts);
        var a = cluster.State.Next(ref failed)!;
        Assert.Equal("b", cluster.Open());
        var other = Enter(cluster);

        // a fails; its slot goes to the one that waits, and b is all that is left for the session.
        cluster.State.DialFailed(a, ref failed);
        Assert.Equal("a", (await other.Turn.WaitAsync(TestKit.Wait.Limit))!.Id);
        var later = Enter(cluster);
        var again = cluster.State.TryQueue(failed, out _)!;

        cluster.State.Release(cluster.Destination("b"));

        Assert.Equal("b", (await again.Turn.WaitAsync(TestKit.Wait.Limit))!.Id);
        Assert.False(later.Turn.IsCompleted);
    }

    [Fact]
    public async Task Release_PolicyThrows_EndsOnlyTheSessionItWasAskedFor()
    {
        var isBroken = false;
        var cluster = new TestCluster(Config(("a", 1)), new Breakable(() => isBroken));
        cluster.Open();
        var place = Enter(cluster);

        isBroken = true;
        cluster.State.Release(cluster.Destination("a"));

        await Assert.ThrowsAsync<InvalidOperationException>(() => place.Turn.WaitAsync(TestKit.Wait.Limit));
        Assert.Equal(0, cluster.Destination("a").ActiveSessions);
        Assert.Equal(0, cluster.State.QueueLength);
    }

    /// <summary>Threads that all want the two slots there are: everybody gets one in the end, and none is lost.</summary>
    [Fact]
    public async Task TryQueue_ManyThreads_EverybodyIsServed()
    {
        var cluster = new TestCluster(Config(("a", 1), ("b", 1)) with { Queue = new QueueConfig { MaxLength = 1_000 } });
        var held = 0;

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 500; i++)
            {
                var attempts = default(DialAttempts);
                var untried = attempts;
                var destination = cluster.State.IsQueueing ? null : cluster.State.Next(ref attempts);
                while (destination is null)
                {
                    // No place = a slot came back just now.
                    destination = cluster.State.TryQueue(untried, out var isFull) is { } place ? await place.Turn : cluster.State.Next(ref attempts);
                    Assert.False(isFull);
                }

                Assert.InRange(Interlocked.Increment(ref held), 1, 2);
                if (i % 7 == 0)
                {
                    await Task.Yield();
                }

                Interlocked.Decrement(ref held);
                cluster.State.Release(destination);
            }
        }))).WaitAsync(TestKit.Wait.Limit);

        Assert.Equal(0, cluster.State.QueueLength);
        Assert.All(cluster.State.Model.Destinations, destination => Assert.Equal(0, destination.ActiveSessions));
    }

    private static TestCluster Create(params (string Id, int MaxConnections)[] members) => new(Config(members));

    private static ClusterConfig Config(params (string Id, int MaxConnections)[] members)
        => TestCluster.Config([.. members.Select(member => (member.Id, new DestinationConfig { MaxConnections = member.MaxConnections }))]) with
        {
            Queue = new QueueConfig { MaxLength = 3 },
        };

    private static QueuedSession Enter(TestCluster cluster)
    {
        var place = cluster.State.TryQueue(default, out var isFull);
        Assert.False(isFull);
        return place!;
    }

    private sealed class Breakable(Func<bool> isBroken) : ILoadBalancingPolicy
    {
        public string Name => "Breakable";

        public int Pick(in LoadBalancingContext context) => isBroken() ? throw new InvalidOperationException("Broken.") : context.NextInTurn();
    }
}
