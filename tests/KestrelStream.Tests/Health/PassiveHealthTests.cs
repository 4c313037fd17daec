using System.Globalization;
using KestrelStream.Configuration;
using KestrelStream.Health;
using KestrelStream.LoadBalancing;
using KestrelStream.Model;
using KestrelStream.TestKit;
using KestrelStream.Tests.Model;
using Xunit;

namespace KestrelStream.Tests.Health;

public class PassiveHealthTests
{
    /// <summary>
    /// Sessions on a and b, of which a is always preferred. "up" = a session while all are up, "down" = one while a is down,
    /// "+n" = n seconds pass. Results: "a", "b", or "a>b" when a was dialled in vain. The window is 10 s.
    /// </summary>
    [Theory]
    // Out after the first failure, for the whole window and not a moment longer.
    [InlineData(1, "down up +10 up +0.1 up up", "a>b b b a a")]
    // A trial that fails starts the penalty again.
    [InlineData(1, "down +10.1 down up +9 up +1.2 up up", "a>b a>b b b a a")]
    // Successes between failures do not clear them.
    [InlineData(3, "down up down up down up", "a>b a a>b a a>b b")]
    // The window slides with each failure.
    [InlineData(3, "down +9 down +9 down up +9 up +1.1 up", "a>b a>b a>b b b a")]
    // A success after the window clears them all.
    [InlineData(3, "down down +10.1 up down down up down up", "a>b a>b a a>b a>b a a>b b")]
    // Without a success nothing is forgotten, however long it takes.
    [InlineData(3, "down +30 down +30 down up", "a>b a>b a>b b")]
    [InlineData(2, "down +5 up +5.1 up down up", "a>b a a a>b a")]
    [InlineData(0, "down down down up", "a>b a>b a>b a")]
    public void Next_FailuresAndTime_FollowNginxAccount(int maxFails, string script, string expected)
    {
        var cluster = Preferring(maxFails);
        var results = new List<string>();
        foreach (var step in script.Split(' '))
        {
            if (step[0] == '+')
            {
                cluster.Time.Advance(TimeSpan.FromSeconds(double.Parse(step, CultureInfo.InvariantCulture)));
            }
            else
            {
                results.Add(cluster.Run(id => step == "up" || id != "a"));
            }
        }

        Assert.Equal(expected, string.Join(' ', results));
    }

    [Fact]
    public void Next_PenaltyOver_LetsOneSessionTryPerWindow()
    {
        var cluster = Preferring(1);
        Assert.Equal("a>b", cluster.Run(id => id != "a"));
        cluster.Time.Advance(TimeSpan.FromSeconds(10.1));

        // The trial hangs: nobody follows it until another window is over.
        Assert.Equal(["a", "b", "b"], [cluster.Open(), cluster.Open(), cluster.Open()]);
        cluster.Time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.Equal("b", cluster.Open());
        cluster.Time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(["a", "b"], [cluster.Open(), cluster.Open()]);
    }

    /// <summary>However close together: of sessions that have all seen that a trial is due, one gets it.</summary>
    [Fact]
    public void Next_TrialGivenOutWhilePicking_GoesElsewhere()
    {
        TestCluster? cluster = null;
        string? rival = null;
        var isArmed = false;
        var policy = new Preference((in LoadBalancingContext _) =>
        {
            if (isArmed)
            {
                isArmed = false;
                rival = cluster!.Open();
            }
        });
        cluster = new TestCluster(TwoDestinations, policy);
        Assert.Equal("a>b", cluster.Run(id => id != "a"));
        cluster.Time.Advance(TimeSpan.FromSeconds(10.1));
        isArmed = true;

        var late = cluster.Open();

        Assert.Equal(("a", "b"), (rival, late));
        Assert.Equal(1, cluster.Destination("a").ActiveSessions);
    }

    /// <summary>A session whose dials take longer than the window comes to no destination twice.</summary>
    [Fact]
    public void Next_TrialDueOfOneThatTheSessionTried_GoesToTheNext()
    {
        var cluster = new TestCluster(
            TestCluster.Config(("a", new DestinationConfig()), ("b", new DestinationConfig()), ("c", new DestinationConfig())), new FirstAlphabeticalPolicy());
        Assert.Equal("a>b>c>-", cluster.Run(_ => false));
        var attempts = default(DialAttempts);
        foreach (var expected in new[] { "a", "b", "c" })
        {
            cluster.Time.Advance(TimeSpan.FromSeconds(10.1));
            var destination = cluster.State.Next(ref attempts)!;
            Assert.Equal(expected, destination.Id);
            cluster.State.DialFailed(destination, ref attempts);
        }

        cluster.Time.Advance(TimeSpan.FromSeconds(10.1));
        Assert.Null(cluster.State.Next(ref attempts));
    }

    [Fact]
    public void Next_TrialDueOfAFullDestination_DoesNotOfferIt()
    {
        var isOffered = false;
        var cluster = new TestCluster(
            TestCluster.Config(("a", new DestinationConfig { MaxConnections = 1 }), ("b", new DestinationConfig())),
            new Preference((in LoadBalancingContext context) => isOffered = context.IsAvailable(0)));
        Assert.Equal("a>b", cluster.Run(id => id != "a"));
        cluster.Time.Advance(TimeSpan.FromSeconds(10.1));
        // A trial that hangs holds the only slot.
        Assert.Equal("a", cluster.Open());
        Assert.True(isOffered);

        cluster.Time.Advance(TimeSpan.FromSeconds(10.1));

        Assert.Equal("b", cluster.Open());
        Assert.False(isOffered);
    }

    [Fact]
    public void DialSucceeded_OnTrial_PutsDestinationBackForAll()
    {
        var cluster = Preferring(1);
        Assert.Equal("a>b", cluster.Run(id => id != "a"));
        cluster.Time.Advance(TimeSpan.FromSeconds(10.1));
        var attempts = default(DialAttempts);
        var trial = cluster.State.Next(ref attempts)!;
        Assert.Equal("b", cluster.Open());

        cluster.State.DialSucceeded(trial, attempts);

        Assert.Equal("a", cluster.Open());
    }

    [Fact]
    public void Release_TrialGivenUp_LeavesDestinationOut()
    {
        var cluster = Preferring(1);
        Assert.Equal("a>b", cluster.Run(id => id != "a"));
        cluster.Time.Advance(TimeSpan.FromSeconds(10.1));
        var attempts = default(DialAttempts);
        var trial = cluster.State.Next(ref attempts)!;

        cluster.State.Release(trial);

        Assert.Equal("b", cluster.Open());
        Assert.Equal(DestinationHealth.Unhealthy, trial.Health);
    }

    [Fact]
    public void Release_OldSessionDuringTrial_LeavesDestinationOut()
    {
        var cluster = Preferring(1);
        var old = default(DialAttempts);
        var destination = cluster.State.Next(ref old)!;
        cluster.State.DialSucceeded(destination, old);
        Assert.Equal("a>b", cluster.Run(id => id != "a"));
        cluster.Time.Advance(TimeSpan.FromSeconds(10.1));
        Assert.Equal("a", cluster.Open());

        cluster.State.Release(destination);

        Assert.Equal("b", cluster.Open());
    }

    /// <summary>Dials that began before a failure say nothing about the time after it.</summary>
    [Fact]
    public void DialSucceeded_PickedBeforeFailure_DoesNotClearIt()
    {
        var cluster = Preferring(1);
        var early = default(DialAttempts);
        var destination = cluster.State.Next(ref early)!;
        Assert.Equal("a>b", cluster.Run(id => id != "a"));
        cluster.Time.Advance(TimeSpan.FromSeconds(5));

        cluster.State.DialSucceeded(destination, early);

        Assert.Equal("b", cluster.Open());
    }

    [Fact]
    public void Next_PassiveDisabled_NeverSkips()
    {
        var cluster = new TestCluster(TestCluster.WithPassive(TwoDestinations, 1, enabled: false), new FirstAlphabeticalPolicy());

        Assert.Equal(["a>b", "a>b", "a>b"], Enumerable.Range(0, 3).Select(_ => cluster.Run(id => id != "a")));
        Assert.NotEqual(DestinationHealth.Unhealthy, cluster.Destination("a").Health);
    }

    [Fact]
    public void Next_NoHealthCheckSection_UsesNginxDefaults()
    {
        var cluster = new TestCluster(TwoDestinations, new FirstAlphabeticalPolicy());

        Assert.Equal("a>b", cluster.Run(id => id != "a"));
        Assert.Equal("b", cluster.Open());
        cluster.Time.Advance(TimeSpan.FromSeconds(10.1));
        Assert.Equal("a", cluster.Open());
    }

    [Fact]
    public void Next_SingleDestination_IsNeverOutAndTriedOnceASession()
    {
        var cluster = TestCluster.OfWeights(1);

        Assert.Equal(["a>-", "a>-", "a>-"], Enumerable.Range(0, 3).Select(_ => cluster.Run(_ => false)));
        Assert.Equal("a", cluster.Open());
        Assert.Equal(3, cluster.Destination("a").DialFailures);
    }

    /// <summary>As in nginx, where a server that is "down" makes a group one of several.</summary>
    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    public void Next_SecondDestinationOfAnyKind_MakesTheFirstAccountable(int weight, bool backup)
    {
        var cluster = new TestCluster(TestCluster.Config(("a", new DestinationConfig()), ("b", new DestinationConfig { Weight = weight, Backup = backup })));

        cluster.Run(id => id != "a");

        Assert.NotEqual("a", cluster.Open());
    }

    [Fact]
    public void Next_AllOut_IsNoneUntilATrialIsDue()
    {
        var cluster = TestCluster.OfWeights(1, 1);
        Assert.Equal("a>b>-", cluster.Run(_ => false));

        Assert.Equal("-", cluster.Run(_ => true));
        cluster.Time.Advance(TimeSpan.FromSeconds(10.1));
        Assert.NotEqual("-", cluster.Run(_ => true));
    }

    [Fact]
    public void Health_OfADestination_FollowsItsDials()
    {
        var logger = new RecordingLogger();
        var cluster = new TestCluster(TestCluster.WithPassive(TwoDestinations, 2), new FirstAlphabeticalPolicy(), logger);
        var destination = cluster.Destination("a");
        Assert.Equal(DestinationHealth.Unknown, destination.Health);

        cluster.Run(_ => true);
        Assert.Equal(DestinationHealth.Healthy, destination.Health);

        cluster.Run(id => id != "a");
        Assert.Equal(DestinationHealth.Healthy, destination.Health);
        Assert.Empty(logger.Events);

        cluster.Run(id => id != "a");
        Assert.Equal(DestinationHealth.Unhealthy, destination.Health);

        cluster.Time.Advance(TimeSpan.FromSeconds(10.1));
        cluster.Run(id => id != "a");
        Assert.Equal(DestinationHealth.Unhealthy, destination.Health);

        cluster.Time.Advance(TimeSpan.FromSeconds(10.1));
        cluster.Run(_ => true);
        Assert.Equal(DestinationHealth.Healthy, destination.Health);
        Assert.Equal(
            [
                "Warning: Cluster 'web': destination 'a' (10.0.0.0:443) is out after failures. One session tries it in 00:00:10.",
                "Information: Cluster 'web': destination 'a' (10.0.0.0:443) is back.",
            ],
            logger.Events.Select(entry => $"{entry.Level}: {entry.Message}"));
    }

    private static ClusterConfig TwoDestinations => TestCluster.Config(("a", new DestinationConfig()), ("b", new DestinationConfig()));

    private static TestCluster Preferring(int maxFails)
        => new(TestCluster.WithPassive(TwoDestinations, maxFails), new FirstAlphabeticalPolicy());

    private delegate void Look(in LoadBalancingContext context);

    /// <summary>The first by id, with something that happens between looking and choosing.</summary>
    private sealed class Preference(Look beforeChoice) : ILoadBalancingPolicy
    {
        public string Name => "Preference";

        public int Pick(in LoadBalancingContext context)
        {
            beforeChoice(in context);
            return context.IsAvailable(0) ? 0 : 1;
        }
    }
}
