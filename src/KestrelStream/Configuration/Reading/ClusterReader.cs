namespace KestrelStream.Configuration.Reading;

/// <summary>Keys of <c>StreamProxy:Clusters:{id}</c>.</summary>
internal static class ClusterReader
{
    public static ClusterConfig Read(SectionReader section)
    {
        var defaults = new ClusterConfig();
        return new ClusterConfig
        {
            LoadBalancingPolicy = section.Text(nameof(ClusterConfig.LoadBalancingPolicy)) ?? defaults.LoadBalancingPolicy,
            Hash = section.Section(nameof(ClusterConfig.Hash), ReadHash),
            ConnectTimeout = section.Time(nameof(ClusterConfig.ConnectTimeout)) ?? defaults.ConnectTimeout,
            DialBudget = section.Time(nameof(ClusterConfig.DialBudget)) ?? defaults.DialBudget,
            MaxAttempts = section.Number(nameof(ClusterConfig.MaxAttempts)),
            DnsRefresh = section.Time(nameof(ClusterConfig.DnsRefresh)) ?? defaults.DnsRefresh,
            Queue = section.Section(nameof(ClusterConfig.Queue), ReadQueue),
            SlowStart = section.Time(nameof(ClusterConfig.SlowStart)) ?? defaults.SlowStart,
            OnUnhealthy = section.Choice<UnhealthyAction>(nameof(ClusterConfig.OnUnhealthy)) ?? defaults.OnUnhealthy,
            PanicThreshold = section.Number(nameof(ClusterConfig.PanicThreshold)) ?? defaults.PanicThreshold,
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
        var defaults = new PassiveHealthCheckConfig();
        return new PassiveHealthCheckConfig
        {
            Enabled = section.Flag(nameof(PassiveHealthCheckConfig.Enabled)) ?? defaults.Enabled,
            MaxFails = section.Number(nameof(PassiveHealthCheckConfig.MaxFails)) ?? defaults.MaxFails,
            FailTimeout = section.Time(nameof(PassiveHealthCheckConfig.FailTimeout)) ?? defaults.FailTimeout,
            MaxFailTimeout = section.Time(nameof(PassiveHealthCheckConfig.MaxFailTimeout)),
            CountResets = section.Flag(nameof(PassiveHealthCheckConfig.CountResets)) ?? defaults.CountResets,
            MaxEjectedPercent = section.Number(nameof(PassiveHealthCheckConfig.MaxEjectedPercent)),
        };
    }

    private static DestinationConfig ReadDestination(SectionReader section)
    {
        var defaults = new DestinationConfig();
        return new DestinationConfig
        {
            Address = section.Text(nameof(DestinationConfig.Address)) ?? "",
            Weight = section.Number(nameof(DestinationConfig.Weight)) ?? defaults.Weight,
            Backup = section.Flag(nameof(DestinationConfig.Backup)) ?? defaults.Backup,
            MaxConnections = section.Number(nameof(DestinationConfig.MaxConnections)),
        };
    }
}
