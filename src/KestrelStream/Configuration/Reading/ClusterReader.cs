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
            WarmConnections = section.Number(nameof(ClusterConfig.WarmConnections)) ?? s_cluster.WarmConnections,
            ProxyProtocol = section.Choice<ProxyProtocolVersion>(nameof(ClusterConfig.ProxyProtocol)) ?? s_cluster.ProxyProtocol,
            Tlvs = section.ChoiceList<ProxyProtocolTlv>(nameof(ClusterConfig.Tlvs)) ?? s_cluster.Tlvs,
            Tls = section.Section(nameof(ClusterConfig.Tls), UpstreamTlsReader.Read),
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
        Active = section.Section(nameof(HealthCheckConfig.Active), ReadActive),
        Passive = section.Section(nameof(HealthCheckConfig.Passive), ReadPassive),
    };

    private static ActiveHealthCheckConfig ReadActive(SectionReader section)
    {
        var defaults = new ActiveHealthCheckConfig();
        return new ActiveHealthCheckConfig
        {
            Enabled = section.Flag(nameof(ActiveHealthCheckConfig.Enabled)) ?? defaults.Enabled,
            Kind = section.Choice<HealthCheckKind>(nameof(ActiveHealthCheckConfig.Kind)) ?? defaults.Kind,
            Interval = section.Time(nameof(ActiveHealthCheckConfig.Interval)) ?? defaults.Interval,
            IntervalWhenDown = section.Time(nameof(ActiveHealthCheckConfig.IntervalWhenDown)),
            Jitter = section.Number(nameof(ActiveHealthCheckConfig.Jitter)) ?? defaults.Jitter,
            Timeout = section.Time(nameof(ActiveHealthCheckConfig.Timeout)) ?? defaults.Timeout,
            Rise = section.Number(nameof(ActiveHealthCheckConfig.Rise)) ?? defaults.Rise,
            Fall = section.Number(nameof(ActiveHealthCheckConfig.Fall)) ?? defaults.Fall,
            InitialState = section.Choice<HealthCheckInitialState>(nameof(ActiveHealthCheckConfig.InitialState)) ?? defaults.InitialState,
            Address = section.Text(nameof(ActiveHealthCheckConfig.Address)),
            Port = section.Number(nameof(ActiveHealthCheckConfig.Port)),
            ServerName = section.Text(nameof(ActiveHealthCheckConfig.ServerName)),
            Verify = section.Flag(nameof(ActiveHealthCheckConfig.Verify)) ?? defaults.Verify,
            TrustedCertificates = section.Text(nameof(ActiveHealthCheckConfig.TrustedCertificates)),
            Method = section.Text(nameof(ActiveHealthCheckConfig.Method)) ?? defaults.Method,
            Path = section.Text(nameof(ActiveHealthCheckConfig.Path)) ?? defaults.Path,
            Host = section.Text(nameof(ActiveHealthCheckConfig.Host)),
            ExpectStatus = section.Text(nameof(ActiveHealthCheckConfig.ExpectStatus)) ?? defaults.ExpectStatus,
            ExpectBody = section.Text(nameof(ActiveHealthCheckConfig.ExpectBody)),
            Steps = section.SectionList(nameof(ActiveHealthCheckConfig.Steps), ReadStep) ?? defaults.Steps,
            User = section.Text(nameof(ActiveHealthCheckConfig.User)),
            Database = section.Text(nameof(ActiveHealthCheckConfig.Database)),
            Password = section.Text(nameof(ActiveHealthCheckConfig.Password)),
        };
    }

    private static HealthCheckStep ReadStep(SectionReader section) => new()
    {
        Send = section.Text(nameof(HealthCheckStep.Send)),
        Expect = section.Text(nameof(HealthCheckStep.Expect)),
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
            Health = section.Text(nameof(DestinationConfig.Health)),
            Host = section.Text(nameof(DestinationConfig.Host)),
            AllowedNames = section.TextList(nameof(DestinationConfig.AllowedNames)) ?? s_destination.AllowedNames,
            AllowedNetworks = section.TextList(nameof(DestinationConfig.AllowedNetworks)) ?? s_destination.AllowedNetworks,
        };
    }
}
