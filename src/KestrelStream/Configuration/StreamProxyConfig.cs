namespace KestrelStream.Configuration;

/// <summary>
/// Everything a user can say about a stream proxy: section <c>StreamProxy</c> of a configuration, or an object built in code.
/// Immutable; maps are keyed by id, ids ignore case.
/// </summary>
public sealed record StreamProxyConfig
{
    /// <summary>Which engine carries the sessions. Default <see cref="EngineKind.Auto"/>. Read at start only.</summary>
    public EngineKind Engine { get; init; } = EngineKind.Auto;

    /// <summary>Number of loops the EventLoop engine runs; null = one a core. Read at start only; the Sockets engine has none.</summary>
    public int? EventLoops { get; init; }

    /// <summary>What is said of TLS once for all routes.</summary>
    public TlsConfig Tls { get; init; } = new();

    /// <summary>
    /// How long sessions may go on after a stop was asked for. Default 30 s. Zero aborts them at once.
    /// What is left then ends with <see cref="Sessions.SessionEndReason.DrainTimeout"/> and a reset.
    /// </summary>
    public TimeSpan ShutdownTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What the whole process may take.</summary>
    public ProcessLimitsConfig Limits { get; init; } = new();

    /// <summary>The server's HTTP port for health, metrics and the API; null = none. Read at start only.</summary>
    public AdminConfig? Admin { get; init; }

    /// <summary>Who is asked for the names of destinations; null = the operating system.</summary>
    public ResolverConfig? Resolver { get; init; }

    /// <summary>Where the records of sessions go; null = nowhere.</summary>
    public AccessLogConfig? AccessLog { get; init; }

    /// <summary>What is counted beside everything that always is.</summary>
    public MetricsConfig Metrics { get; init; } = new();

    /// <summary>Addresses that are accepted on.</summary>
    public IReadOnlyDictionary<string, ListenerConfig> Listeners { get; init; } = ConfigMap.Empty<ListenerConfig>();

    /// <summary>Certificates that routes with <see cref="TlsMode.Terminate"/> name.</summary>
    public IReadOnlyDictionary<string, CertificateConfig> Certificates { get; init; } = ConfigMap.Empty<CertificateConfig>();

    /// <summary>Answers ACME's challenges on port 80; null = nobody listens there.</summary>
    public HttpChallengeConfig? HttpChallenge { get; init; }

    /// <summary>Which sessions go where. The order of keys never matters.</summary>
    public IReadOnlyDictionary<string, RouteConfig> Routes { get; init; } = ConfigMap.Empty<RouteConfig>();

    /// <summary>Groups of equal destinations.</summary>
    public IReadOnlyDictionary<string, ClusterConfig> Clusters { get; init; } = ConfigMap.Empty<ClusterConfig>();
}
