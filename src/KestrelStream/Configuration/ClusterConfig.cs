namespace KestrelStream.Configuration;

/// <summary>A group of equal destinations and how one is chosen and dialled.</summary>
public sealed record ClusterConfig
{
    /// <summary>Name of a registered policy: RoundRobin (default, nginx's smooth weights), LeastConnections, LeastLatency, Random, PowerOfTwoChoices, ConsistentHash, FirstAlphabetical.</summary>
    public string LoadBalancingPolicy { get; init; } = "RoundRobin";

    /// <summary>For the policy ConsistentHash; null = with defaults.</summary>
    public HashConfig? Hash { get; init; }

    /// <summary>Longest wait for one dial. Default 10 s. Beyond it the next destination is tried; after the last: <see cref="Sessions.SessionEndReason.ConnectTimeout"/>.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest time for all dials of a session together. Default 30 s.</summary>
    public TimeSpan DialBudget { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Most destinations dialled for one session; null = all of them.</summary>
    public int? MaxAttempts { get; init; }

    /// <summary>
    /// Connections kept to each destination before sessions need them, for protocols in which the client speaks first. Default 0: none. A
    /// session that finds none dials.
    /// </summary>
    public int WarmConnections { get; init; }

    /// <summary>The PROXY header that each connection to a destination begins with. Default <see cref="ProxyProtocolVersion.Off"/>.</summary>
    public ProxyProtocolVersion ProxyProtocol { get; init; }

    /// <summary>What a V2 header tells besides addresses. Default nothing.</summary>
    public IReadOnlyList<ProxyProtocolTlv> Tlvs { get; init; } = [];

    /// <summary>TLS with the destinations; null = plain bytes.</summary>
    public UpstreamTlsConfig? Tls { get; init; }

    /// <summary>Longest time until names of destinations are resolved again. Default 10 s. A shorter time to live counts where it is known.</summary>
    public TimeSpan DnsRefresh { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Not a key: somebody else finds out which destinations are up, and says so to the cluster's state.</summary>
    internal bool IsCheckedElsewhere { get; init; }

    /// <summary>Where sessions wait while all are full; null = nowhere.</summary>
    public QueueConfig? Queue { get; init; }

    /// <summary>How long a destination that has come back takes to get its whole weight. Default zero: at once.</summary>
    public TimeSpan SlowStart { get; init; } = TimeSpan.Zero;

    /// <summary>What becomes of the running sessions of a destination that is found dead. Default <see cref="UnhealthyAction.Keep"/>.</summary>
    public UnhealthyAction OnUnhealthy { get; init; }

    /// <summary>
    /// Percent of the destinations, backups included, that must be up; when fewer are, health is ignored, for a few would be run over by
    /// the sessions of all. Default 0: never.
    /// </summary>
    public int PanicThreshold { get; init; }

    /// <summary>How dead destinations are found; null = passive checks with their defaults.</summary>
    public HealthCheckConfig? HealthCheck { get; init; }

    /// <summary>The members. At least one.</summary>
    public IReadOnlyDictionary<string, DestinationConfig> Destinations { get; init; } = ConfigMap.Empty<DestinationConfig>();
}
