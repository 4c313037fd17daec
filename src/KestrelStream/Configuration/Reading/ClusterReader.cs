namespace KestrelStream.Configuration.Reading;

/// <summary>Keys of <c>StreamProxy:Clusters:{id}</c>.</summary>
internal static class ClusterReader
{
    private static readonly ClusterConfig s_cluster = new();
    private static readonly PassiveHealthCheckConfig s_passive = new();
    private static readonly DestinationConfig s_destination = new();

    public static ClusterConfig Read(SectionReader section)
    {
        return new ClusterConfig
        {
            LoadBalancingPolicy = section.Text(nameof(ClusterConfig.LoadBalancingPolicy)) ?? s_cluster.LoadBalancingPolicy,
            Hash = section.Section(nameof(ClusterConfig.Hash), ReadHash),
            ConnectTimeout = section.Time(nameof(ClusterConfig.ConnectTimeout)) ?? s_cluster.ConnectTimeout,
            DialBudget = section.Time(nameof(ClusterConfig.DialBudget)) ?? s_cluster.DialBudget,
            MaxAttempts = section.Number(nameof(ClusterConfig.MaxAttempts)),
            DnsRefresh = section.Time(nameof(ClusterConfig.DnsRefresh)) ?? s_cluster.DnsRefresh,
            Queue = section.Section(nameof(ClusterConfig.Queue), ReadQueue),
            SlowStart = section.Time(nameof(ClusterConfig.SlowStart)) ?? s_cluster.SlowStart,
            OnUnhealthy = section.Choice<UnhealthyAction>(nameof(ClusterConfig.OnUnhealthy)) ?? s_cluster.OnUnhealthy,
            PanicThreshold = section.Number(nameof(ClusterConfig.PanicThreshold)) ?? s_cluster.PanicThreshold,
            HealthCheck = section.Section(nameof(ClusterConfig.HealthCheck), ReadHealthCheck),
            Destinations = section.Map(nameof(ClusterConfig.Destinations), ReadDestination),
        };
    }

    private static HashConfig ReadHash(SectionReader section) => new()
    {
        Key = section.Choice<HashKey>(nameof(HashConfig.Key)) ?? new HashConfig().Key,
        BalanceFactor = section.Fraction(nameof(HashConfig.BalanceFactor)),
    };

    private static QueueConfig ReadQueue(SectionReader section)
    {
        var defaults = new QueueConfig();
        return new QueueConfig
        {
            MaxLength = section.Number(nameof(QueueConfig.MaxLength)) ?? defaults.MaxLength,
            Timeout = section.Time(nameof(QueueConfig.Timeout)) ?? defaults.Timeout,
        };
    }

    private static HealthCheckConfig ReadHealthCheck(SectionReader section) => new()
    {
        Passive = section.Section(nameof(HealthCheckConfig.Passive), ReadPassive),
    };

    private static PassiveHealthCheckConfig ReadPassive(SectionReader section)
    {
        return new PassiveHealthCheckConfig
        {
            Enabled = section.Flag(nameof(PassiveHealthCheckConfig.Enabled)) ?? s_passive.Enabled,
            MaxFails = section.Number(nameof(PassiveHealthCheckConfig.MaxFails)) ?? s_passive.MaxFails,
            FailTimeout = section.Time(nameof(PassiveHealthCheckConfig.FailTimeout)) ?? s_passive.FailTimeout,
            MaxFailTimeout = section.Time(nameof(PassiveHealthCheckConfig.MaxFailTimeout)),
            CountResets = section.Flag(nameof(PassiveHealthCheckConfig.CountResets)) ?? s_passive.CountResets,
            MaxEjectedPercent = section.Number(nameof(PassiveHealthCheckConfig.MaxEjectedPercent)),
        };
    }

    private static DestinationConfig ReadDestination(SectionReader section)
    {
        return new DestinationConfig
        {
            Address = section.Text(nameof(DestinationConfig.Address)) ?? "",
            Weight = section.Number(nameof(DestinationConfig.Weight)) ?? s_destination.Weight,
            Backup = section.Flag(nameof(DestinationConfig.Backup)) ?? s_destination.Backup,
            MaxConnections = section.Number(nameof(DestinationConfig.MaxConnections)),
        };
    }
}
