using System.Net;
using KestrelStream.Configuration;
using KestrelStream.Dialing;
using KestrelStream.LoadBalancing;
using KestrelStream.Model;
using KestrelStream.TestKit;
using KestrelStream.Tests.Model;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelStream.Tests.Dialing;

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
        _resolver = new DestinationResolver(_names, _time, _loggers.CreateLogger<DestinationResolver>());
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
        var cluster = Cluster("web", ("v4", "10.0.0.1:443"), ("v6", "[2001:db8::1]:5432"), ("unix", "unix:/run/db.sock"));
        _resolver.Apply([cluster]);

        Assert.Equal(
            ["unix:/run/db.sock", "10.0.0.1:443", "[2001:db8::1]:5432"],
            cluster.Model.Destinations.Select(destination => Assert.Single(destination.EndPoints) is IPEndPoint ip ? ip.ToString() : "unix:" + destination.EndPoints[0]));
        Assert.All(cluster.Model.Destinations, destination => Assert.True(destination.GetEndPointsAsync(CancellationToken.None).AsTask().IsCompletedSuccessfully));
        Assert.True(_names.IsIdle);
        Assert.Equal(0, _time.ActiveTimers);
    }

    [Fact]
    public async Task GetEndPointsAsync_BeforeFirstAnswer_WaitsForIt()
    {
        var destination = Apply(("a", "DB.internal:5432"));
        var waiting = destination.GetEndPointsAsync(CancellationToken.None).AsTask();
        var lookup = await _names.NextAsync();
        Assert.Equal("db.internal", lookup.Host);
        Assert.Empty(destination.EndPoints);
        Assert.False(waiting.IsCompleted);

        lookup.Succeed("10.0.0.7", "2001:db8::7");

        Assert.Equal([EndPoint("10.0.0.7", 5432), EndPoint("2001:db8::7", 5432)], await waiting.WaitAsync(Patience));
        Assert.True(destination.GetEndPointsAsync(CancellationToken.None).AsTask().IsCompletedSuccessfully);
        Assert.Empty(Messages);
    }

    [Fact]
    public async Task GetEndPointsAsync_FirstLookupFails_IsEmptyAndLaterSessionsDoNotWait()
    {
        var destination = Apply(("a", "db.internal:5432"));
        var waiting = destination.GetEndPointsAsync(CancellationToken.None).AsTask();

        (await _names.NextAsync()).Fail("no such host");

        Assert.Empty(await waiting.WaitAsync(Patience));
        Assert.True(destination.GetEndPointsAsync(CancellationToken.None).AsTask().IsCompletedSuccessfully);
    }

    [Fact]
    public async Task GetEndPointsAsync_Cancelled_Throws()
    {
        var destination = Apply(("a", "db.internal:5432"));
        using var cancellation = new CancellationTokenSource();
        var waiting = destination.GetEndPointsAsync(cancellation.Token).AsTask();

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Patience));
        (await _names.NextAsync()).Succeed("10.0.0.7");
    }

    [Fact]
    public async Task Refresh_AnswerChanges_ReplacesEndPointsAndKeepsEqualOnes()
    {
        var destination = Apply(("a", "localhost:443"));
        await AnswerAsync(destination, "127.0.0.1");
        var first = destination.EndPoints;

        await RefreshAsync("127.0.0.1");
        Assert.Same(first, destination.EndPoints);

        await RefreshAsync("127.0.0.1", "::1");
        Assert.Equal([EndPoint("127.0.0.1", 443), EndPoint("::1", 443)], destination.EndPoints);
        Assert.Equal([EndPoint("127.0.0.1", 443)], first);
        Assert.Equal(1, _names.MostRunning);
    }

    [Fact]
    public async Task Refresh_FailureOrEmptyAnswer_KeepsLastGoodAnswerAndLogsTurnsOnly()
    {
        var destination = Apply(("a", "db.internal:5432"));
        await AnswerAsync(destination, "10.0.0.7");

        await RefreshAsync(lookup => lookup.Fail("server failure"));
        await RefreshAsync(lookup => lookup.Succeed());
        await RefreshAsync(lookup => lookup.Fail("server failure"));
        Assert.Equal([EndPoint("10.0.0.7", 5432)], destination.EndPoints);
        Assert.Equal(
            ["Warning: Cluster 'web': the name 'db.internal' of destination 'a' does not resolve: server failure. Addresses in use from the last answer: 1. Trying on."],
            Messages);

        await RefreshAsync("10.0.0.8");
        await RefreshAsync("10.0.0.9");
        Assert.Equal([EndPoint("10.0.0.9", 5432)], destination.EndPoints);
        Assert.Equal("Information: Cluster 'web': the name 'db.internal' of destination 'a' resolves again. Addresses: 1.", Messages[1]);
        Assert.Equal(2, Messages.Length);
    }

    [Fact]
    public async Task Refresh_Interval_IsJitteredAndRetriesSoonerWhileFailing()
    {
        var destination = Apply(TimeSpan.FromMinutes(10), ("a", "db.internal:5432"));
        await AnswerAsync(destination, "10.0.0.7");
        Assert.InRange(_time.NextDue!.Value, TimeSpan.FromMinutes(9), TimeSpan.FromMinutes(11));

        await RefreshAsync(lookup => lookup.Fail("server failure"));

        Assert.InRange(_time.NextDue!.Value, TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(11));
    }

    [Fact]
    public async Task Refresh_LookupHangs_IsNotOvertaken()
    {
        var destination = Apply(("a", "db.internal:5432"));
        await AnswerAsync(destination, "10.0.0.7");
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
        var destination = Apply(("a", "db.internal:5432"));

        await AnswerAsync(destination, [.. Enumerable.Range(0, 200).Select(i => $"10.0.0.{i / 2}")]);

        Assert.Equal(Enumerable.Range(0, 64).Select(i => EndPoint($"10.0.0.{i}", 5432)), destination.EndPoints);
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
    public async Task Apply_ReloadAddsDestinationOfKnownName_HasEndPointsAtOnce()
    {
        var destination = Apply(("a", "db.internal:1"));
        await AnswerAsync(destination, "10.0.0.7");

        var reloaded = Cluster("web", ("a", "db.internal:1"), ("b", "db.internal:2"));
        _resolver.Apply([reloaded]);

        Assert.Equal([EndPoint("10.0.0.7", 2)], reloaded.Model.Destinations[1].EndPoints);
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

        Assert.True(reloaded.Model.Destinations[0].GetEndPointsAsync(CancellationToken.None).AsTask().IsCompletedSuccessfully);
        Assert.Contains("destination 'b' does not resolve: no such host", Messages[^1], StringComparison.Ordinal);
        Assert.Equal(2, Messages.Length);
    }

    [Fact]
    public async Task Apply_ReloadChangesInterval_TakesEffectAtOnce()
    {
        var destination = Apply(TimeSpan.FromHours(1), ("a", "db.internal:1"));
        await AnswerAsync(destination, "10.0.0.7");

        _resolver.Apply([Cluster("web", TimeSpan.FromSeconds(5), ("a", "db.internal:1"))]);

        Assert.InRange(_time.NextDue!.Value, TimeSpan.FromSeconds(4.5), TimeSpan.FromSeconds(5.5));
    }

    [Fact]
    public async Task Apply_NameNoLongerUsed_StopsItsLookupsAndItsWaitingSessions()
    {
        var destination = Apply(("a", "db.internal:1"));
        var waiting = destination.GetEndPointsAsync(CancellationToken.None).AsTask();
        var lookup = await _names.NextAsync();

        _resolver.Apply([]);

        Assert.True(lookup.Cancelled.IsCancellationRequested);
        Assert.Empty(await waiting.WaitAsync(Patience));
        Assert.Equal(0, _time.ActiveTimers);
        Assert.Empty(Messages);
    }

    [Fact]
    public async Task Dispose_LookupRunning_CancelsItAndStartsNoMore()
    {
        var destination = Apply(("a", "db.internal:1"));
        var waiting = destination.GetEndPointsAsync(CancellationToken.None).AsTask();
        var lookup = await _names.NextAsync();

        _resolver.Dispose();
        _resolver.Apply([Cluster("web", ("b", "other.internal:1"))]);
        _time.Advance(TimeSpan.FromHours(1));

        Assert.True(lookup.Cancelled.IsCancellationRequested);
        Assert.Empty(await waiting.WaitAsync(Patience));
        Assert.True(_names.IsIdle);
        Assert.Equal(0, _time.ActiveTimers);
    }

    [Fact]
    public async Task Apply_ResolverBlocks_DoesNotDelayIt()
    {
        using var release = new ManualResetEventSlim();
        using var resolver = new DestinationResolver(new BlockingResolver(release), _time, NullLogger<DestinationResolver>.Instance);
        var cluster = Cluster("web", ("a", "db.internal:1"));

        resolver.Apply([cluster]);

        Assert.Empty(cluster.Model.Destinations[0].EndPoints);
        release.Set();
        Assert.Single(await cluster.Model.Destinations[0].GetEndPointsAsync(CancellationToken.None).AsTask().WaitAsync(Patience));
    }

    private static IPEndPoint EndPoint(string address, int port) => new(IPAddress.Parse(address), port);

    private ClusterState Cluster(string id, params (string Id, string Address)[] destinations) => Cluster(id, TimeSpan.FromSeconds(10), destinations);

    private ClusterState Cluster(string id, TimeSpan refresh, params (string Id, string Address)[] destinations)
    {
        var config = TestCluster.Config([.. destinations.Select(destination => (destination.Id, new DestinationConfig { Address = destination.Address }))]) with { DnsRefresh = refresh };
        return new ClusterState(id, ClusterModel.Create(config, new RoundRobinPolicy(), _time), _time, NullLogger.Instance);
    }

    private DestinationState Apply(params (string Id, string Address)[] destinations) => Apply(TimeSpan.FromSeconds(10), destinations);

    private DestinationState Apply(TimeSpan refresh, params (string Id, string Address)[] destinations)
    {
        var cluster = Cluster("web", refresh, destinations);
        _resolver.Apply([cluster]);
        return cluster.Model.Destinations[0];
    }

    private async Task AnswerAsync(DestinationState destination, params string[] addresses)
    {
        (await _names.NextAsync()).Succeed(addresses);
        await destination.GetEndPointsAsync(CancellationToken.None).AsTask().WaitAsync(Patience);
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
