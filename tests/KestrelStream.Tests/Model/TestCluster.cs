using KestrelStream.Configuration;
using KestrelStream.LoadBalancing;
using KestrelStream.Model;
using KestrelStream.TestKit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KestrelStream.Tests.Model;

/// <summary>A cluster under a fake clock, and sessions on it in few words.</summary>
internal sealed class TestCluster
{
    public TestCluster(ClusterConfig config, ILoadBalancingPolicy? policy = null, ILogger? logger = null)
    {
        Policy = policy ?? new RoundRobinPolicy();
        State = new ClusterState("web", ClusterModel.Create(config, Policy, Time), Time, logger ?? NullLogger.Instance);
    }

    public FakeTimeProvider Time { get; } = new();

    public ILoadBalancingPolicy Policy { get; }

    public ClusterState State { get; }

    /// <summary>Destinations a, b, c… of these weights.</summary>
    public static TestCluster OfWeights(params int[] weights)
        => new(Config(weights.Select((weight, i) => (((char)('a' + i)).ToString(), new DestinationConfig { Weight = weight })).ToArray()));

    /// <summary>A config whose destinations get addresses where they have none.</summary>
    public static ClusterConfig Config(params (string Id, DestinationConfig Destination)[] destinations)
    {
        var map = ConfigMap.Create<DestinationConfig>();
        foreach (var (id, destination) in destinations)
        {
            map.Add(id, destination.Address.Length > 0 ? destination : destination with { Address = $"10.{map.Count >> 16}.{(map.Count >> 8) & 255}.{map.Count & 255}:443" });
        }

        return new ClusterConfig { Destinations = map };
    }

    public static ClusterConfig WithPassive(ClusterConfig config, int maxFails, double failTimeoutSeconds = 10, bool enabled = true) => config with
    {
        HealthCheck = new HealthCheckConfig
        {
            Passive = new PassiveHealthCheckConfig { Enabled = enabled, MaxFails = maxFails, FailTimeout = TimeSpan.FromSeconds(failTimeoutSeconds) },
        },
    };

    public void Reload(ClusterConfig config) => State.Apply(ClusterModel.Create(config, Policy, Time, State.Model));

    public DestinationState Destination(string id) => State.Model.Destinations.Single(destination => destination.Id == id);

    /// <summary>A session that picks once and stays. "-" = nothing to pick.</summary>
    public string Open()
    {
        var attempts = default(DialAttempts);
        return State.Next(ref attempts)?.Id ?? "-";
    }

    /// <summary>Sessions one after another that connect at once and end; their destinations with a space between.</summary>
    public string Run(int sessions)
    {
        var ids = new List<string>();
        for (var i = 0; i < sessions; i++)
        {
            ids.Add(Run(isUp: _ => true));
        }

        return string.Join(' ', ids);
    }

    /// <summary>A session that dials until one is up, then ends. Its attempts, as "a>b"; a last "-" when none was left.</summary>
    public string Run(Func<string, bool> isUp)
    {
        var attempts = default(DialAttempts);
        var tried = new List<string>();
        while (State.Next(ref attempts) is { } destination)
        {
            tried.Add(destination.Id);
            if (isUp(destination.Id))
            {
                State.DialSucceeded(destination, attempts);
                State.Release(destination);
                return string.Join('>', tried);
            }

            State.DialFailed(destination, ref attempts);
        }

        return string.Join('>', [.. tried, "-"]);
    }
}
