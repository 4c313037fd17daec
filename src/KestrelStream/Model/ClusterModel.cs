using System.Collections.Immutable;
using KestrelStream.Configuration;
using KestrelStream.Health;
using KestrelStream.LoadBalancing;

namespace KestrelStream.Model;

/// <summary>A cluster of one snapshot, compiled. Immutable; its destinations live on into the next one.</summary>
internal sealed class ClusterModel
{
    private ClusterModel(
        ClusterConfig config,
        ILoadBalancingPolicy policy,
        ImmutableArray<DestinationState> destinations,
        ImmutableArray<DestinationConfig> destinationConfigs,
        PassiveHealthModel passiveHealth)
    {
        Config = config;
        Policy = policy;
        Destinations = destinations;
        DestinationConfigs = destinationConfigs;
        Counted = destinationConfigs.Count(destination => destination.Control.IsCounted);
        PassiveHealth = passiveHealth;
        HashKey = policy is ConsistentHashPolicy ? (config.Hash ?? new HashConfig()).Key : null;
        MeasuresLatency = policy is LeastLatencyPolicy;
    }

    public ClusterConfig Config { get; }

    public ILoadBalancingPolicy Policy { get; }

    public PassiveHealthModel PassiveHealth { get; }

    /// <summary>What sessions are hashed by; null = the policy does not ask.</summary>
    public HashKey? HashKey { get; }

    /// <summary>Whether the policy goes by dial times.</summary>
    public bool MeasuresLatency { get; }

    /// <summary>Primaries and backups in the order of their ids, whatever the order of keys.</summary>
    public ImmutableArray<DestinationState> Destinations { get; }

    /// <summary>For each of <see cref="Destinations"/> what this snapshot says about it.</summary>
    public ImmutableArray<DestinationConfig> DestinationConfigs { get; }

    /// <summary>How many of them the cluster counts on: an operator has not taken them out of service.</summary>
    public int Counted { get; }

    /// <summary>Compiles a validated config.</summary>
    /// <param name="previous">The model before a reload: its destinations with the same id and address are taken over.</param>
    /// <exception cref="ArgumentException">An address is not one.</exception>
    public static ClusterModel Create(ClusterConfig config, ILoadBalancingPolicy policy, TimeProvider time, ClusterModel? previous = null)
    {
        var known = ConfigMap.Create<DestinationState>();
        foreach (var before in previous?.Destinations ?? [])
        {
            known.TryAdd(before.Id, before);
        }

        var destinations = ImmutableArray.CreateBuilder<DestinationState>(config.Destinations.Count);
        var configs = ImmutableArray.CreateBuilder<DestinationConfig>(config.Destinations.Count);
        foreach (var (id, destinationConfig) in config.Destinations.OrderBy(pair => pair.Key, StringComparer.OrdinalIgnoreCase))
        {
            if (!ProxyAddress.TryParseDestination(destinationConfig.Address, out var address))
            {
                throw new ArgumentException($"Destination '{id}': '{destinationConfig.Address}' is not an address.", nameof(config));
            }

            if (!known.TryGetValue(id, out var destination) || destination.Address != address)
            {
                destination = new DestinationState(id, address!, destinationConfig);
                destination.SetUpByChecks(config.HealthCheck?.Active is not { Enabled: true, InitialState: HealthCheckInitialState.Down });
            }

            destinations.Add(destination);
            configs.Add(destinationConfig);
        }

        return new ClusterModel(
            config, policy, destinations.MoveToImmutable(), configs.MoveToImmutable(), PassiveHealthModel.Create(config, time));
    }
}
