using System.Net;
using KestrelStream.Configuration;
using KestrelStream.Discovery;
using KestrelStream.LoadBalancing;
using KestrelStream.Model;
using KestrelStream.TestKit;
using KestrelStream.Tests.Model;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelStream.Tests.Discovery;

public sealed class DestinationResolverTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly FakeTimeProvider _time = new();
    private readonly ScriptedNameResolver _names = new();
    private readonly RecordingLogger _logger = new();
    private readonly LoggerFactory _loggers;
    private readonly DestinationResolver _resolver;

    public DestinationResolverTests()
    {
        _loggers = new LoggerFactory([_logger]);
        _resolver = new DestinationResolver(_names, new DnsClient(_time, new NameServers()), _time, _loggers.CreateLogger<DestinationResolver>());
    }

    private string[] Messages => [.. _logger.Events.Select(entry => $"{entry.Level}: {entry.Message}")];

    public void Dispose()
    {
        _resolver.Dispose();
        _loggers.Dispose();
    }

    [Fact]
    public void Apply_LiteralAddresses_NeedNoLookup()
    {
        var cluster = Cluster("web", ("v4", "10.0.0.1:443"), ("v6", "[2001:db8::1]:5432"), ("unix", "unix:/run/db.sock"), ("here", "localhost:443"));
        _resolver.Apply([cluster]);

        Assert.Equal(["here", "unix", "v4", "v6"], cluster.Model.Destinations.Select(destination => destination.Id));
        Assert.Equal(
            ["127.0.0.1:443", "10.0.0.1:443", "[2001:db8::1]:5432"],
            cluster.Model.Destinations.Select(destination => destination.EndPoints[0]).OfType<IPEndPoint>().Select(endPoint => endPoint.ToString()));
        Assert.Null(cluster.Model.FirstAnswer);
        Assert.True(_names.IsIdle);
        Assert.Equal(0, _time.ActiveTimers);
    }

    [Fact]
    public async Task FirstAnswer_BeforeIt_IsAwaitedAndEveryAddressIsAMember()
    {
        var cluster = Apply(("a", "DB.internal:5432"));
        var waiting = cluster.Model.FirstAnswer;
        var lookup = await _names.NextAsync();
        Assert.Equal("db.internal", lookup.Host);
        Assert.Empty(cluster.Model.Destinations);
        Assert.False(waiting!.IsCompleted);

        lookup.Succeed("2001:db8::7", "10.0.0.8", "10.0.0.7", "0.0.0.0", "224.0.0.1");

        await waiting.WaitAsync(Patience);
        Assert.Equal(["10.0.0.7:5432", "10.0.0.8:5432", "[2001:db8::7]:5432"], Members(cluster));
        Assert.Equal(["a@10.0.0.7", "a@10.0.0.8", "a@2001:db8::7"], cluster.Model.Destinations.Select(destination => destination.Id));
        Assert.All(cluster.Model.Destinations, destination => Assert.Equal("a", destination.ConfiguredId));
        Assert.Null(cluster.Model.FirstAnswer);
    }

    [Fact]
    public async Task FirstAnswer_FirstLookupFails_IsNoLongerAwaited()
    {
        var cluster = Apply(("a", "db.internal:5432"));
        var waiting = cluster.Model.FirstAnswer!;

        (await _names.NextAsync()).Fail("no such host");

        await waiting.WaitAsync(Patience);
        Assert.Null(cluster.Model.FirstAnswer);
        Assert.Empty(Members(cluster));
        await WaitForTimerAsync();
        Assert.InRange(_time.NextDue!.Value, NameWatch.FirstRetry * 0.9, NameWatch.FirstRetry * 1.1);
    }

    /// <summary>A backup that is known at once does not take the sessions of a primary that will be known in a moment.</summary>
    [Fact]
    public async Task FirstAnswer_OnlyBackupIsKnown_IsAwaited()
    {
        var config = TestCluster.Config(("a", new DestinationConfig { Address = "db.internal:1" }), ("b", new DestinationConfig { Address = "10.0.0.1:1", Backup = true }));
        var cluster = new ClusterState("web", ClusterModel.Create(config, new RoundRobinPolicy(), _time), _time, NullLogger.Instance);
        _resolver.Apply([cluster]);
        Assert.False(cluster.Model.FirstAnswer!.IsCompleted);

        (await _names.NextAsync()).Fail("no such host");

        await WaitForTimerAsync();
        Assert.Null(cluster.Model.FirstAnswer);
    }

    [Fact]
    public async Task Refresh_AnswerChanges_KeepsMembersThatStay()
    {
        var cluster = Apply(("a", "db.internal:443"));
        await AnswerAsync("10.0.0.1", "10.0.0.2");
        var model = cluster.Model;
        var (first, second) = (model.Destinations[0], model.Destinations[1]);

        await RefreshAsync("10.0.0.2", "10.0.0.1");
        Assert.Same(model, cluster.Model);

        Assert.True(first.TryTakeSlot());
        await RefreshAsync("10.0.0.2", "10.0.0.3");
        Assert.Equal(["10.0.0.2:443", "10.0.0.3:443"], Members(cluster));
        Assert.Same(second, cluster.Model.Destinations[0]);
        Assert.Equal([first], cluster.Model.Sources[0].Leaving);
        Assert.Equal(
            ["Information: Cluster 'web': destination 'a' no longer has the member 10.0.0.1:443 by db.internal:443. Sessions that still run on it: 1.",
             "Information: Cluster 'web': destination 'a' has a new member 10.0.0.3:443 by db.internal:443."],
            Messages[^2..]);

        first.ReturnSlot();
        Assert.Empty(cluster.Model.Sources[0].Leaving);
        Assert.Equal(1, _names.MostRunning);
    }

    [Fact]
    public async Task Refresh_MemberComesBack_KeepsNothing()
    {
        var cluster = Apply(("a", "db.internal:443"));
        await AnswerAsync("10.0.0.1", "10.0.0.2");
        var before = cluster.Model.Destinations[0];
        before.CountSession();

        await RefreshAsync("10.0.0.2");
        await RefreshAsync("10.0.0.1", "10.0.0.2");

        Assert.NotSame(before, cluster.Model.Destinations[0]);
        Assert.Equal(0, cluster.Model.Destinations[0].TotalSessions);
    }

    [Fact]
    public async Task Refresh_FailureOrEmptyAnswer_KeepsLastGoodAnswerAndLogsTurnsOnly()
    {
        var cluster = Apply(("a", "db.internal:5432"));
        await AnswerAsync("10.0.0.7");
        var before = Messages.Length;

        await RefreshAsync(lookup => lookup.Fail("server failure"));
        await RefreshAsync(lookup => lookup.Succeed());
        await RefreshAsync(lookup => lookup.Fail("server failure"));
        Assert.Equal(["10.0.0.7:5432"], Members(cluster));
        Assert.Equal(
            ["Warning: Cluster 'web': the name 'db.internal' of destination 'a' does not resolve: server failure. Addresses in use from the last answer: 1. Trying on."],
            Messages[before..]);
        Assert.Equal([1, 1, 2], Enum.GetValues<LookupResult>().Select(result => cluster.Model.Sources[0].Lookups(result)));
        Assert.NotNull(cluster.Model.Sources[0].State!.ResolvedAt);

        await RefreshAsync("10.0.0.7");
        await RefreshAsync("10.0.0.7");
        Assert.Equal("Information: Cluster 'web': the name 'db.internal' of destination 'a' resolves again. Addresses: 1.", Messages[before + 1]);
        Assert.Equal(before + 2, Messages.Length);
    }

    [Fact]
    public async Task Apply_ReloadMeanwhile_HasTheNewestMembersAndKeepsTheirState()
    {
        var cluster = Apply(("a", "db.internal:443"), ("b", "10.1.0.1:443"));
        await AnswerAsync("10.0.0.1");
        var config = cluster.Model.Config with { SlowStart = TimeSpan.FromSeconds(1) };
        var prepared = ClusterModel.Create(config, new RoundRobinPolicy(), _time, cluster.Model);
        await RefreshAsync("10.0.0.1", "10.0.0.2");
        var members = cluster.Model.Destinations;

        cluster.Apply(prepared);

        Assert.Equal(members.Length, cluster.Model.Destinations.Length);
        Assert.All(members.Zip(cluster.Model.Destinations), pair => Assert.Same(pair.First, pair.Second));
        Assert.Equal(TimeSpan.FromSeconds(1), cluster.Model.Config.SlowStart);
    }

    [Fact]
    public async Task Refresh_Interval_IsJitteredAndRetriesSoonerWhileFailing()
    {
        Apply(TimeSpan.FromMinutes(10), ("a", "db.internal:5432"));
        await AnswerAsync("10.0.0.7");
        Assert.InRange(_time.NextDue!.Value, TimeSpan.FromMinutes(9), TimeSpan.FromMinutes(11));

        await RefreshAsync(lookup => lookup.Fail("server failure"));

        Assert.InRange(_time.NextDue!.Value, TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(11));
    }

    [Fact]
    public async Task Refresh_LookupHangs_IsNotOvertaken()
    {
        var cluster = Apply(("a", "db.internal:5432"));
        await AnswerAsync("10.0.0.7");
        _time.Advance(TimeSpan.FromSeconds(11));
        var hanging = await _names.NextAsync();

        _time.Advance(TimeSpan.FromMinutes(5));
        _resolver.Apply([Cluster("web", ("b", "db.internal:1"))]);
        Assert.True(_names.IsIdle);
        hanging.Succeed("10.0.0.8");

        await WaitForTimerAsync();
        Assert.Equal(1, _names.MostRunning);
    }

    [Fact]
    public async Task Refresh_HugeAnswer_IsCutAndCleaned()
    {
        var cluster = Apply(("a", "db.internal:5432"));

        await AnswerAsync([.. Enumerable.Range(0, 2000).Select(i => $"10.0.{i / 512}.{i / 2 % 256}")]);

        Assert.Equal(
            Enumerable.Range(0, NameLookup.MaxAddresses).Select(i => $"10.0.0.{i}:5432").Order(StringComparer.Ordinal), Members(cluster).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Apply_SameNameInSeveralClusters_IsOneLookupAtTheFastestPace()
    {
        var web = Cluster("web", TimeSpan.FromMinutes(5), ("a", "db.internal:1"), ("b", "DB.internal:2"));
        var other = Cluster("other", TimeSpan.FromSeconds(20), ("c", "db.internal:3"));
        _resolver.Apply([web, other]);

        (await _names.NextAsync()).Succeed("10.0.0.7");
        await WaitForTimerAsync();

        Assert.Equal([1, 2, 3], web.Model.Destinations.Concat(other.Model.Destinations).Select(destination => ((IPEndPoint)destination.EndPoints[0]).Port));
        Assert.True(_names.IsIdle);
        Assert.InRange(_time.NextDue!.Value, TimeSpan.FromSeconds(18), TimeSpan.FromSeconds(22));
    }

    [Fact]
    public async Task Apply_ReloadAddsDestinationOfKnownName_HasMembersAtOnce()
    {
        Apply(("a", "db.internal:1"));
        await AnswerAsync("10.0.0.7");

        var reloaded = Cluster("web", ("a", "db.internal:1"), ("b", "db.internal:2"));
        _resolver.Apply([reloaded]);

        Assert.Equal(["10.0.0.7:1", "10.0.0.7:2"], Members(reloaded));
        Assert.True(_names.IsIdle);
    }

    [Fact]
    public async Task Apply_ReloadAddsDestinationOfFailingName_WarnsAndDoesNotLetItWait()
    {
        Apply(("a", "db.internal:1"));
        (await _names.NextAsync()).Fail("no such host");
        await WaitForTimerAsync();

        var reloaded = Cluster("web", ("b", "db.internal:2"));
        _resolver.Apply([reloaded]);

        Assert.Null(reloaded.Model.FirstAnswer);
        Assert.Contains("destination 'b' does not resolve: no such host", Messages[^1], StringComparison.Ordinal);
        Assert.Equal(2, Messages.Length);
    }

    [Fact]
    public async Task Apply_ReloadChangesInterval_TakesEffectAtOnce()
    {
        Apply(TimeSpan.FromHours(1), ("a", "db.internal:1"));
        await AnswerAsync("10.0.0.7");

        _resolver.Apply([Cluster("web", TimeSpan.FromSeconds(5), ("a", "db.internal:1"))]);

        Assert.InRange(_time.NextDue!.Value, TimeSpan.FromSeconds(4.5), TimeSpan.FromSeconds(5.5));
    }

    [Fact]
    public async Task Apply_NameNoLongerUsed_StopsItsLookupsAndItsWaitingSessions()
    {
        var cluster = Apply(("a", "db.internal:1"));
        var waiting = cluster.Model.FirstAnswer!;
        var lookup = await _names.NextAsync();

        _resolver.Apply([]);

        Assert.True(lookup.Cancelled.IsCancellationRequested);
        await waiting.WaitAsync(Patience);
        Assert.Equal(0, _time.ActiveTimers);
        Assert.Empty(Messages);
    }

    [Fact]
    public async Task Dispose_LookupRunning_CancelsItAndStartsNoMore()
    {
        var cluster = Apply(("a", "db.internal:1"));
        var waiting = cluster.Model.FirstAnswer!;
        var lookup = await _names.NextAsync();

        _resolver.Dispose();
        _resolver.Apply([Cluster("web", ("b", "other.internal:1"))]);
        _time.Advance(TimeSpan.FromHours(1));

        Assert.True(lookup.Cancelled.IsCancellationRequested);
        await waiting.WaitAsync(Patience);
        Assert.True(_names.IsIdle);
        Assert.Equal(0, _time.ActiveTimers);
    }

    [Fact]
    public async Task Apply_ResolverBlocks_DoesNotDelayIt()
    {
        using var release = new ManualResetEventSlim();
        using var resolver = new DestinationResolver(new BlockingResolver(release), new DnsClient(_time, new NameServers()), _time, NullLogger<DestinationResolver>.Instance);
        var cluster = Cluster("web", ("a", "db.internal:1"));

        resolver.Apply([cluster]);

        var waiting = cluster.Model.FirstAnswer!;
        Assert.False(waiting.IsCompleted);
        release.Set();
        await waiting.WaitAsync(Patience);
        Assert.Single(Members(cluster));
    }

    private static string[] Members(ClusterState cluster)
        => [.. cluster.Model.Destinations.Select(destination => Assert.Single(destination.EndPoints).ToString()!)];

    private ClusterState Cluster(string id, params (string Id, string Address)[] destinations) => Cluster(id, TimeSpan.FromSeconds(10), destinations);

    private ClusterState Cluster(string id, TimeSpan refresh, params (string Id, string Address)[] destinations)
    {
        var config = TestCluster.Config([.. destinations.Select(destination => (destination.Id, new DestinationConfig { Address = destination.Address }))]) with { DnsRefresh = refresh };
        return new ClusterState(id, ClusterModel.Create(config, new RoundRobinPolicy(), _time), _time, _loggers.CreateLogger("cluster"));
    }

    private ClusterState Apply(params (string Id, string Address)[] destinations) => Apply(TimeSpan.FromSeconds(10), destinations);

    private ClusterState Apply(TimeSpan refresh, params (string Id, string Address)[] destinations)
    {
        var cluster = Cluster("web", refresh, destinations);
        _resolver.Apply([cluster]);
        return cluster;
    }

    private async Task AnswerAsync(params string[] addresses)
    {
        (await _names.NextAsync()).Succeed(addresses);
        await WaitForTimerAsync();
    }

    private Task RefreshAsync(params string[] addresses) => RefreshAsync(lookup => lookup.Succeed(addresses));

    private async Task RefreshAsync(Action<ScriptedNameResolver.Lookup> answer)
    {
        _time.Advance(TimeSpan.FromMinutes(11));
        answer(await _names.NextAsync());
        await WaitForTimerAsync();
    }

    /// <summary>A lookup is done with when the timer for the next one runs.</summary>
    private async Task WaitForTimerAsync()
    {
        var deadline = DateTime.UtcNow + Patience;
        while (_time.ActiveTimers == 0)
        {
            Assert.True(DateTime.UtcNow < deadline, "The lookup did not end.");
            await Task.Delay(5);
        }
    }

    private sealed class BlockingResolver(ManualResetEventSlim release) : IDestinationNameResolver
    {
        public ValueTask<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken)
        {
            Assert.True(release.Wait(Patience, cancellationToken));
            return new([IPAddress.Loopback]);
        }
    }
}
