using KestrelStream.Configuration;
using KestrelStream.Health;
using KestrelStream.Health.Checks;
using KestrelStream.Model;
using KestrelStream.TestKit;
using KestrelStream.Tests.Model;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelStream.Tests.Health.Checks;

/// <summary>Counting up and down, and probes that break down.</summary>
public sealed class DestinationCheckTests
{
    [Fact]
    public async Task RunAsync_FallThenRise_CountsInARow()
    {
        await using var pool = new Pool(new ActiveHealthCheckConfig { Rise = 2, Fall = 3 });
        await pool.RunAsync("a", "+ + - - + - -");
        Assert.True(pool.Destination("a").IsUpByChecks);
        await pool.RunAsync("a", "-");
        Assert.False(pool.Destination("a").IsUpByChecks);
        Assert.Equal(DestinationHealth.Unhealthy, pool.Destination("a").Health);
        await pool.RunAsync("a", "+ - +");
        Assert.False(pool.Destination("a").IsUpByChecks);
        await pool.RunAsync("a", "+");
        Assert.True(pool.Destination("a").IsUpByChecks);
        await pool.RunAsync("a", "- -");
        Assert.Equal(DestinationHealth.Unknown, pool.Destination("b").Health);
        Assert.True(pool.Destination("a").IsUpByChecks);
    }

    [Fact]
    public async Task RunAsync_Down_IsNotPickedAndNotTried()
    {
        await using var pool = new Pool(new ActiveHealthCheckConfig { Fall = 1, Rise = 1 });
        await pool.RunAsync("a", "-");
        Assert.Equal("b b b", pool.Cluster.Run(3));

        // b goes out by dials: a is no trial, however long it takes.
        pool.Cluster.Run(_ => false);
        pool.Cluster.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("b", pool.Cluster.Run(_ => true));

        // Up again, and its account of dials is clean.
        await pool.RunAsync("a", "+");
        Assert.Contains('a', pool.Cluster.Run(4));
    }

    [Fact]
    public async Task RunAsync_DownOverAReload_StaysDown()
    {
        await using var pool = new Pool(new ActiveHealthCheckConfig { Fall = 1 });
        await pool.RunAsync("a", "-");
        pool.Cluster.Reload(pool.Config with { LoadBalancingPolicy = "Random" });
        Assert.Equal("b b b", pool.Cluster.Run(3));
    }

    [Fact]
    public async Task RunAsync_AccountOfDialsIsBad_ComesUpClean()
    {
        await using var pool = new Pool(new ActiveHealthCheckConfig { Fall = 1, Rise = 1 });
        pool.Cluster.Run(id => id == "b");
        pool.Cluster.Run(id => id == "b");
        Assert.Equal(DestinationHealth.Unhealthy, pool.Destination("a").Health);
        await pool.RunAsync("a", "- +");
        Assert.Equal(DestinationHealth.Healthy, pool.Destination("a").Health);
        Assert.Contains('a', pool.Cluster.Run(4));
    }

    [Fact]
    public async Task RunAsync_ProbeThrows_IsAFailedCheckAndLogged()
    {
        await using var pool = new Pool(new ActiveHealthCheckConfig { Fall = 2 });
        await pool.RunAsync("a", "! !");
        Assert.False(pool.Destination("a").IsUpByChecks);
        Assert.Equal((CheckResult.Error, nameof(InvalidTimeZoneException)), (pool.Destination("a").LastCheck!.Result, pool.Destination("a").LastCheck!.Detail));
        Assert.Equal(2, pool.Log.Events.Count(e => e.Level == LogLevel.Error && e.Exception is InvalidTimeZoneException));

        await pool.RunAsync("b", "+");
        Assert.Equal(CheckResult.Healthy, pool.Destination("b").LastCheck!.Result);
    }

    [Fact]
    public async Task Stop_WhileItRuns_HasTheLastWord()
    {
        await using var pool = new Pool(new ActiveHealthCheckConfig { Fall = 1 });
        var running = pool.Check("a").RunAsync();
        pool.Check("a").Stop();
        pool.Probe.Answer.SetResult(new ProbeResult(CheckResult.Protocol, "late"));
        await running.WaitAsync(Wait.Limit);
        Assert.True(pool.Destination("a").IsUpByChecks);
        Assert.Null(pool.Destination("a").LastCheck);
    }

    /// <summary>Two members whose probe answers as it is told.</summary>
    private sealed class Pool : IAsyncDisposable
    {
        private readonly ServiceProvider _services;
        private readonly ScriptedUpstream _peer = new(CheckRun.DrainAsync);
        private readonly Dictionary<string, DestinationCheck> _checks = [];

        public Pool(ActiveHealthCheckConfig check)
        {
            var services = new ServiceCollection();
            services.AddLogging(logging => logging.AddProvider(Log));
            _services = services.AddStreamProxy().Services.BuildServiceProvider();
            Config = TestCluster.Config(("a", new()), ("b", new())) with { HealthCheck = new HealthCheckConfig { Active = check } };
            Cluster = new TestCluster(Config);
            Assert.True(ProxyAddress.TryParseDestination(_peer.EndPoint.ToString(), out var address));
            foreach (var destination in Cluster.State.Model.Destinations)
            {
                _checks.Add(destination.Id, new DestinationCheck(
                    _services.GetRequiredService<HealthChecker>(), Cluster.State, destination, new CheckSettings(check, host: null, address!, Probe)));
            }
        }

        public ScriptedProbe Probe { get; } = new();

        public RecordingLogger Log { get; } = new();

        public ClusterConfig Config { get; }

        public TestCluster Cluster { get; }

        public DestinationState Destination(string id) => Cluster.Destination(id);

        public DestinationCheck Check(string id) => _checks[id];

        /// <summary>Checks one after another: + good, - failed, ! broken.</summary>
        public async Task RunAsync(string id, string answers)
        {
            foreach (var answer in answers.Split(' '))
            {
                Probe.Answer = new TaskCompletionSource<ProbeResult>();
                _ = answer switch
                {
                    "+" => Probe.Answer.TrySetResult(new ProbeResult(CheckResult.Healthy, "good")),
                    "-" => Probe.Answer.TrySetResult(new ProbeResult(CheckResult.Protocol, "bad")),
                    _ => Probe.Answer.TrySetException(new InvalidTimeZoneException()),
                };
                await _checks[id].RunAsync().WaitAsync(Wait.Limit);
            }

        }

        public async ValueTask DisposeAsync()
        {
            foreach (var check in _checks.Values)
            {
                check.Stop();
            }

            await _peer.DisposeAsync();
            await _services.DisposeAsync();
        }
    }

    private sealed class ScriptedProbe : IHealthProbe
    {
        public TaskCompletionSource<ProbeResult> Answer { get; set; } = new();

        public ValueTask<ProbeResult> ProbeAsync(ProbeConnection connection) => new(Answer.Task);
    }
}
