using System.Collections.Immutable;
using KestrelStream.Configuration;
using KestrelStream.Discovery;
using KestrelStream.Health;
using KestrelStream.LoadBalancing;
using KestrelStream.Tls.Upstream;

namespace KestrelStream.Model;

/// <summary>
/// A cluster of one snapshot, compiled, with the members that its names have. Immutable: a change of members makes another one. Its
/// destinations live on into the next one.
/// </summary>
internal sealed class ClusterModel
{
    private readonly ImmutableArray<ImmutableArray<DiscoveredAddress>> _answers;
    private readonly bool _hasPrimaries;

    private ClusterModel(
        ClusterConfig config,
        ILoadBalancingPolicy policy,
        IReadOnlyList<Member> members,
        ImmutableArray<DestinationSource> sources,
        ImmutableArray<ImmutableArray<DiscoveredAddress>> answers,
        PassiveHealthModel passiveHealth,
        UpstreamTlsPolicy? tls)
    {
        if (config.Tls is { Enabled: true } != tls is not null)
        {
            throw new ArgumentException("A cluster that speaks TLS must know how, and only such a one.", nameof(tls));
        }

        Config = config;
        Tls = tls;
        Policy = policy;
        Destinations = [.. members.Select(member => member.Destination)];
        DestinationConfigs = [.. members.Select(member => member.Config)];
        Counted = DestinationConfigs.Count(destination => destination.Control.IsCounted);
        var tiers = members.Select(member => member.Tier).Distinct().Order().ToList();
        Tiers = [.. members.Select(member => tiers.IndexOf(member.Tier))];
        TierCount = Math.Max(1, tiers.Count);
        _hasPrimaries = tiers is [{ IsBackup: false }, ..];
        Sources = sources;
        _answers = answers;
        PassiveHealth = passiveHealth;
        HashKey = policy is ConsistentHashPolicy ? (config.Hash ?? new HashConfig()).Key : null;
        MeasuresLatency = policy is LeastLatencyPolicy;
    }

    public ClusterConfig Config { get; }

    public ILoadBalancingPolicy Policy { get; }

    /// <summary>How TLS is spoken with the destinations; null = they get plain bytes.</summary>
    public UpstreamTlsPolicy? Tls { get; }

    public PassiveHealthModel PassiveHealth { get; }

    /// <summary>What sessions are hashed by; null = the policy does not ask.</summary>
    public HashKey? HashKey { get; }

    /// <summary>Whether the policy goes by dial times.</summary>
    public bool MeasuresLatency { get; }

    /// <summary>Of all tiers in the order of their ids, whatever the order of keys.</summary>
    public ImmutableArray<DestinationState> Destinations { get; }

    /// <summary>For each of <see cref="Destinations"/> what this snapshot says about it.</summary>
    public ImmutableArray<DestinationConfig> DestinationConfigs { get; }

    /// <summary>How many of them the cluster counts on: an operator has not taken them out of service.</summary>
    public int Counted { get; }

    /// <summary>For each of <see cref="Destinations"/>: 0 is used first, 1 when all of those are down or full, and so on.</summary>
    public ImmutableArray<int> Tiers { get; }

    /// <summary>At least one.</summary>
    public int TierCount { get; }

    /// <summary>Destinations that are names, in the order of their ids.</summary>
    public ImmutableArray<DestinationSource> Sources { get; }

    /// <summary>Whether the names still stand for what they stood for when this was made.</summary>
    public bool IsCurrent
    {
        get
        {
            for (var i = 0; i < Sources.Length; i++)
            {
                if (AnswerOf(Sources[i]) != _answers[i])
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>What a session waits for that has come before there is anybody for it; null = nothing, or nothing any more.</summary>
    public Task? FirstAnswer
    {
        get
        {
            if (_hasPrimaries || Sources.IsEmpty)
            {
                return null;
            }

            List<Task>? awaited = null;
            foreach (var source in Sources)
            {
                // A backup is not used for the reason alone that it was known first.
                if (!source.FirstAnswer.IsCompleted && (Destinations.IsEmpty || !Config.Destinations[source.Id].Backup))
                {
                    (awaited ??= []).Add(source.FirstAnswer);
                }
            }

            return awaited is null ? null : Task.WhenAny(awaited);
        }
    }

    /// <summary>Compiles a validated config.</summary>
    /// <param name="config">Of the cluster.</param>
    /// <param name="policy">The one it names.</param>
    /// <param name="time">The cluster's clock.</param>
    /// <param name="previous">The model before: its destinations and names with the same id and address are taken over.</param>
    /// <param name="tls">How TLS is spoken with the destinations, when <see cref="ClusterConfig.Tls"/> says so.</param>
    /// <exception cref="ArgumentException">An address is not one.</exception>
    public static ClusterModel Create(ClusterConfig config, ILoadBalancingPolicy policy, TimeProvider time, ClusterModel? previous = null, UpstreamTlsPolicy? tls = null)
    {
        var known = ConfigMap.Create<DestinationState>();
        foreach (var before in previous?.Destinations ?? [])
        {
            known.TryAdd(before.Id, before);
        }

        var members = new List<Member>(config.Destinations.Count);
        var sources = ImmutableArray.CreateBuilder<DestinationSource>();
        var answers = ImmutableArray.CreateBuilder<ImmutableArray<DiscoveredAddress>>();
        foreach (var (id, destinationConfig) in config.Destinations.OrderBy(pair => pair.Key, StringComparer.OrdinalIgnoreCase))
        {
            if (!ProxyAddress.TryParseDestination(destinationConfig.Address, out var address))
            {
                throw new ArgumentException($"Destination '{id}': '{destinationConfig.Address}' is not an address.", nameof(config));
            }

            if (address!.Kind is not (ProxyAddressKind.Host or ProxyAddressKind.Srv))
            {
                Add(new SourceMember(id, address, null, destinationConfig, (destinationConfig.Backup, 0)), null);
                continue;
            }

            var source = previous?.Sources.FirstOrDefault(source => source.Id.Equals(id, StringComparison.OrdinalIgnoreCase) && source.Address == address)
                ?? new DestinationSource(id, address);
            var answer = AnswerOf(source);
            sources.Add(source);
            answers.Add(answer);
            foreach (var member in DestinationSource.MembersOf(id, address, destinationConfig, answer).OrderBy(member => member.Id, StringComparer.Ordinal))
            {
                Add(member, source);
            }
        }

        return new ClusterModel(config, policy, members, sources.ToImmutable(), answers.ToImmutable(), PassiveHealthModel.Create(config, members.Count(member => member.Config.Control.IsCounted), time), tls);

        void Add(in SourceMember member, DestinationSource? source)
        {
            if (!known.TryGetValue(member.Id, out var destination) || destination.Address != member.Address || destination.Source != source)
            {
                destination = new DestinationState(member.Id, member.Address, member.Config, source, member.HostName);
                destination.SetUpByChecks(config.HealthCheck?.Active is not { Enabled: true, InitialState: HealthCheckInitialState.Down });
            }

            members.Add(new Member(destination, member.Config, member.Tier));
        }
    }

    private static ImmutableArray<DiscoveredAddress> AnswerOf(DestinationSource source) => source.State?.Addresses ?? [];

    private readonly record struct Member(DestinationState Destination, DestinationConfig Config, (bool IsBackup, int Rank) Tier);
}
