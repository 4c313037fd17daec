using KestrelStream.Configuration;
using KestrelStream.Health;
using KestrelStream.LoadBalancing;
using KestrelStream.Model;
using KestrelStream.Tests.Model;
using Xunit;

namespace KestrelStream.Tests.Health;

/// <summary>What passive checks do beyond nginx's account, when they are told to.</summary>
public class OutlierTests
{
    [Theory]
    [InlineData(50, 4, 2)]
    [InlineData(74, 4, 2)]
    [InlineData(75, 4, 3)]
    [InlineData(100, 4, 4)]
    [InlineData(10, 3, 1)]
    [InlineData(50, 3, 1)]
    [InlineData(0, 3, 0)]
    public void MaxEjectedPercent_AllFail_NoMoreAreTakenOut(int percent, int members, int expected)
    {
        var cluster = Create(members, passive => passive with { MaxEjectedPercent = percent });

        cluster.Run(_ => false);
        cluster.Run(_ => false);

        Assert.Equal(expected, Out(cluster));
        Assert.Equal(expected, cluster.State.Model.Destinations.Sum(destination => destination.Ejections));
    }

    [Theory]
    [InlineData(false, false, 4)]
    [InlineData(true, false, 2)]
    [InlineData(false, true, 2)]
    public void MaxEjectedPercent_LeftOut_IsAllAsInNginxAndHalfForOutliers(bool countResets, bool grows, int expected)
    {
        var cluster = Create(4, passive => passive with { CountResets = countResets, MaxFailTimeout = grows ? TimeSpan.FromMinutes(1) : null });

        cluster.Run(_ => false);

        Assert.Equal(expected, Out(cluster));
    }

    [Fact]
    public void MaxEjectedPercent_OneComesBack_TheNextFailureTakesItsPlace()
    {
        var cluster = Create(2, passive => passive with { MaxEjectedPercent = 50 });
        Assert.Equal("a>b>-", cluster.Run(_ => false));
        Assert.Equal("b>-", cluster.Run(_ => false));

        cluster.Time.Advance(TimeSpan.FromSeconds(10.1));
        Assert.Equal("a", cluster.Run(id => id == "a"));
        Assert.Equal(0, Out(cluster));
        cluster.Reload(With(
            TestCluster.Config(("a", new DestinationConfig { MaxConnections = 1 }), ("b", new DestinationConfig())), _ => cluster.State.Model.Config.HealthCheck!.Passive!));
        Assert.Equal("a", cluster.Open());
        Assert.Equal("b>-", cluster.Run(_ => false));

        Assert.Equal(DestinationHealth.Unhealthy, cluster.Destination("b").Health);
    }

    [Fact]
    public void MaxEjectedPercent_Reload_KeepsThoseOutThatWereOut()
    {
        var cluster = Create(4, passive => passive with { MaxEjectedPercent = 50 });
        cluster.Run(_ => false);
        var before = OutIds(cluster);

        cluster.Reload(cluster.State.Model.Config with { ConnectTimeout = TimeSpan.FromSeconds(3) });

        Assert.Equal(2, Out(cluster));
        Assert.Equal(before, OutIds(cluster));

        cluster.Reload(With(cluster.State.Model.Config, passive => passive with { MaxEjectedPercent = 25 }));
        Assert.Equal(1, Out(cluster));
        Assert.Contains(Assert.Single(OutIds(cluster)), before);
    }

    /// <summary>10 s, then 20 s, then never more than 25 s.</summary>
    [Fact]
    public void MaxFailTimeout_TrialsFail_PenaltyGrowsUpToIt()
    {
        var cluster = Create(2, passive => passive with { MaxFailTimeout = TimeSpan.FromSeconds(25) });
        Assert.Equal("a>b", cluster.Run(id => id != "a"));

        foreach (var penalty in new[] { 10, 20, 25, 25 })
        {
            cluster.Time.Advance(TimeSpan.FromSeconds(penalty - 0.1));
            Assert.Equal("b", cluster.Run(_ => true));
            cluster.Time.Advance(TimeSpan.FromSeconds(0.2));
            Assert.Equal("a>b", cluster.Run(id => id != "a"));
        }
    }

    [Fact]
    public void MaxFailTimeout_OutAgainSoonAfterReturn_StaysOutLongerUnlessItWasWellForLong()
    {
        var cluster = Create(2, passive => passive with { MaxFailTimeout = TimeSpan.FromSeconds(60) });
        Assert.Equal("a>b", cluster.Run(id => id != "a"));
        Return(10);

        cluster.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal("a>b", cluster.Run(id => id != "a"));
        cluster.Time.Advance(TimeSpan.FromSeconds(19.9));
        Assert.Equal("b", cluster.Run(_ => true));
        Return(0.2);

        cluster.Time.Advance(TimeSpan.FromSeconds(60.1));
        Assert.Equal("a>b", cluster.Run(id => id != "a"));
        Return(10);

        void Return(double seconds)
        {
            cluster.Time.Advance(TimeSpan.FromSeconds(seconds + 0.1));
            Assert.Equal("a", cluster.Run(_ => true));
            Assert.Equal(DestinationHealth.Healthy, cluster.Destination("a").Health);
        }
    }

    /// <summary>Of sessions that were dialling when the first one failed, each failure is one more, but no repetition.</summary>
    [Fact]
    public void MaxFailTimeout_SimultaneousFailures_AreOneRound()
    {
        var cluster = Create(2, passive => passive with { MaxFailTimeout = TimeSpan.FromSeconds(60) });
        var sessions = new DialAttempts[5];
        var destinations = new DestinationState[5];
        for (var i = 0; i < sessions.Length; i++)
        {
            destinations[i] = cluster.State.Next(ref sessions[i])!;
        }

        for (var i = 0; i < sessions.Length; i++)
        {
            cluster.State.DialFailed(destinations[i], ref sessions[i]);
        }

        Assert.Equal(1, cluster.Destination("a").Ejections);
        cluster.Time.Advance(TimeSpan.FromSeconds(10.1));
        Assert.Equal("a", cluster.Run(_ => true));
    }

    [Theory]
    [InlineData(true, DestinationHealth.Unhealthy)]
    [InlineData(false, DestinationHealth.Healthy)]
    public void CountResets_SessionFails_IsAFailureOnlyWhereItIsOn(bool countResets, DestinationHealth expected)
    {
        var cluster = Create(2, passive => passive with { CountResets = countResets });
        Assert.Equal("a", cluster.Run(_ => true));

        cluster.State.SessionFailed(cluster.Destination("a"));

        Assert.Equal(expected, cluster.Destination("a").Health);
        Assert.Equal(0, cluster.Destination("a").DialFailures);
        Assert.Equal(countResets ? "b" : "a", cluster.Run(_ => true));
    }

    [Fact]
    public void CountResets_SingleDestination_IsNeverOut()
    {
        var cluster = Create(1, passive => passive with { CountResets = true });

        cluster.State.SessionFailed(cluster.Destination("a"));

        Assert.Equal("a", cluster.Run(_ => true));
    }

    /// <summary>Below half of them up, everybody is asked; from half on, only those that are up.</summary>
    [Fact]
    public void PanicThreshold_FewerAreUpByChecks_HealthIsIgnored()
    {
        var cluster = Create(4, passive => passive);
        cluster.Reload(cluster.State.Model.Config with { PanicThreshold = 50 });
        foreach (var id in new[] { "a", "b" })
        {
            cluster.State.SetUpByChecks(cluster.Destination(id), isUp: false);
        }

        Assert.Equal(["c", "d"], Offered());

        // c goes down too, and while all are tried d, which answers nobody, is out as well as down: that counts once.
        cluster.State.SetUpByChecks(cluster.Destination("c"), isUp: false);
        Assert.Equal(["a", "b", "c", "d"], Offered());
        cluster.Run(id => false);
        Assert.True(cluster.Destination("d").IsOut);
        cluster.State.SetUpByChecks(cluster.Destination("d"), isUp: false);
        cluster.State.SetUpByChecks(cluster.Destination("d"), isUp: true);
        cluster.State.SetUpByChecks(cluster.Destination("a"), isUp: true);
        Assert.Equal(["a", "d"], Offered());

        string[] Offered()
        {
            var attempts = default(DialAttempts);
            var offered = new List<string>();
            while (cluster.State.Next(ref attempts) is { } destination)
            {
                offered.Add(destination.Id);
                cluster.State.Release(destination);
            }

            return [.. offered];
        }
    }

    [Fact]
    public void PanicThreshold_FewerAreUp_HealthIsIgnored()
    {
        var cluster = Create(4, passive => passive);
        cluster.Reload(cluster.State.Model.Config with { PanicThreshold = 50 });

        cluster.Run(id => id == "c" || id == "d");
        Assert.Equal(2, Out(cluster));
        Assert.Equal("c", cluster.Open());

        cluster.Run(id => id == "d");
        Assert.Equal(3, Out(cluster));
        Assert.Equal("a>b>c>d", cluster.Run(id => id == "d"));

        // And out of it again, when one is back: the next session has the choice of a and d.
        cluster.Time.Advance(TimeSpan.FromSeconds(10.1));
        Assert.Equal("a", cluster.Run(_ => true));
        Assert.Equal(2, Out(cluster));
        GiveUpTrials();
        var attempts = default(DialAttempts);
        Assert.Equal("a", cluster.State.Next(ref attempts)?.Id);
        Assert.Equal("d", cluster.State.Next(ref attempts)?.Id);
        Assert.Null(cluster.State.Next(ref attempts));

        void GiveUpTrials()
        {
            var tries = default(DialAttempts);
            while (cluster.State.Next(ref tries) is { } destination)
            {
                cluster.State.Release(destination);
            }
        }
    }

    private static TestCluster Create(int members, Func<PassiveHealthCheckConfig, PassiveHealthCheckConfig> passive)
        => new(With(TestCluster.Config([.. Enumerable.Range(0, members).Select(i => (((char)('a' + i)).ToString(), new DestinationConfig()))]), passive), new FirstAlphabeticalPolicy());

    private static ClusterConfig With(ClusterConfig config, Func<PassiveHealthCheckConfig, PassiveHealthCheckConfig> passive)
        => config with { HealthCheck = new HealthCheckConfig { Passive = passive(config.HealthCheck?.Passive ?? new PassiveHealthCheckConfig()) } };

    private static int Out(TestCluster cluster) => OutIds(cluster).Length;

    private static string[] OutIds(TestCluster cluster)
        => [.. cluster.State.Model.Destinations.Where(destination => destination.Health == DestinationHealth.Unhealthy).Select(destination => destination.Id)];
}
