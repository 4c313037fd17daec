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
            ConnectTimeout = section.Time(nameof(ClusterConfig.ConnectTimeout)) ?? defaults.ConnectTimeout,
            DialBudget = section.Time(nameof(ClusterConfig.DialBudget)) ?? defaults.DialBudget,
            MaxAttempts = section.Number(nameof(ClusterConfig.MaxAttempts)),
            DnsRefresh = section.Time(nameof(ClusterConfig.DnsRefresh)) ?? defaults.DnsRefresh,
            HealthCheck = section.Section(nameof(ClusterConfig.HealthCheck), ReadHealthCheck),
            Destinations = section.Map(nameof(ClusterConfig.Destinations), ReadDestination),
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
        var defaults = new PassiveHealthCheckConfig();
        return new PassiveHealthCheckConfig
        {
            Enabled = section.Flag(nameof(PassiveHealthCheckConfig.Enabled)) ?? defaults.Enabled,
            MaxFails = section.Number(nameof(PassiveHealthCheckConfig.MaxFails)) ?? defaults.MaxFails,
            FailTimeout = section.Time(nameof(PassiveHealthCheckConfig.FailTimeout)) ?? defaults.FailTimeout,
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
            Health = section.Text(nameof(DestinationConfig.Health)),
            Host = section.Text(nameof(DestinationConfig.Host)),
        };
    }
}
