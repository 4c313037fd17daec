namespace KestrelStream.Configuration.Reading;

/// <summary>Keys of <c>StreamProxy</c>.</summary>
internal static class StreamProxyReader
{
    public static StreamProxyConfig Read(SectionReader section)
    {
        var defaults = new StreamProxyConfig();
        return new StreamProxyConfig
        {
            Engine = section.Choice<EngineKind>(nameof(StreamProxyConfig.Engine)) ?? defaults.Engine,
            EventLoops = section.Number(nameof(StreamProxyConfig.EventLoops)),
            Tls = section.Section(nameof(StreamProxyConfig.Tls), ReadTls) ?? defaults.Tls,
            ShutdownTimeout = section.Time(nameof(StreamProxyConfig.ShutdownTimeout)) ?? defaults.ShutdownTimeout,
            Limits = section.Section(nameof(StreamProxyConfig.Limits), LimitsReader.ReadProcess) ?? defaults.Limits,
            Admin = section.Section(nameof(StreamProxyConfig.Admin), ReadAdmin),
            Resolver = section.Section(nameof(StreamProxyConfig.Resolver), ReadResolver),
            AccessLog = section.Section(nameof(StreamProxyConfig.AccessLog), AccessLogReader.Read),
            Metrics = section.Section(nameof(StreamProxyConfig.Metrics), ReadMetrics) ?? defaults.Metrics,
            Listeners = section.Map(nameof(StreamProxyConfig.Listeners), ReadListener),
            Certificates = section.Map(nameof(StreamProxyConfig.Certificates), CertificateReader.Read),
            HttpChallenge = section.Section(nameof(StreamProxyConfig.HttpChallenge), ReadHttpChallenge),
            Routes = section.Map(nameof(StreamProxyConfig.Routes), RouteReader.Read),
            Clusters = section.Map(nameof(StreamProxyConfig.Clusters), ClusterReader.Read),
        };
    }

    private static TlsConfig ReadTls(SectionReader section) => new()
    {
        Engine = section.Choice<TlsEngineKind>(nameof(TlsConfig.Engine)) ?? new TlsConfig().Engine,
    };

    private static AdminConfig ReadAdmin(SectionReader section) => new()
    {
        Address = section.Text(nameof(AdminConfig.Address)) ?? "",
        Token = section.Text(nameof(AdminConfig.Token)),
        AllowedHosts = section.TextList(nameof(AdminConfig.AllowedHosts)) ?? [],
        RefusedBytes = section.Number(nameof(AdminConfig.RefusedBytes)) ?? 0,
    };

    private static ResolverConfig ReadResolver(SectionReader section)
    {
        var defaults = new ResolverConfig();
        return new ResolverConfig
        {
            Servers = section.TextList(nameof(ResolverConfig.Servers)) ?? defaults.Servers,
            Timeout = section.Time(nameof(ResolverConfig.Timeout)) ?? defaults.Timeout,
        };
    }

    private static MetricsConfig ReadMetrics(SectionReader section) => new()
    {
        TopNames = section.Number(nameof(MetricsConfig.TopNames)) ?? new MetricsConfig().TopNames,
    };

    private static ListenerConfig ReadListener(SectionReader section)
    {
        var defaults = new ListenerConfig();
        return new ListenerConfig
        {
            Address = section.Text(nameof(ListenerConfig.Address)) ?? "",
            PrereadTimeout = section.Time(nameof(ListenerConfig.PrereadTimeout)) ?? defaults.PrereadTimeout,
            ServerFirstAfter = section.Time(nameof(ListenerConfig.ServerFirstAfter)) ?? defaults.ServerFirstAfter,
            PrereadBufferBytes = section.Number(nameof(ListenerConfig.PrereadBufferBytes)) ?? defaults.PrereadBufferBytes,
            HandshakeTimeout = section.Time(nameof(ListenerConfig.HandshakeTimeout)) ?? defaults.HandshakeTimeout,
            Backlog = section.Number(nameof(ListenerConfig.Backlog)) ?? defaults.Backlog,
            MaxConnections = section.Number(nameof(ListenerConfig.MaxConnections)),
            ProxyProtocol = section.Section(nameof(ListenerConfig.ProxyProtocol), ReadProxyProtocol),
            Allow = section.TextList(nameof(ListenerConfig.Allow)) ?? defaults.Allow,
            Deny = section.TextList(nameof(ListenerConfig.Deny)) ?? defaults.Deny,
            AllowFile = section.Text(nameof(ListenerConfig.AllowFile)),
            DenyFile = section.Text(nameof(ListenerConfig.DenyFile)),
            DenyAction = section.Choice<RefusalAction>(nameof(ListenerConfig.DenyAction)) ?? defaults.DenyAction,
            Limits = section.Section(nameof(ListenerConfig.Limits), LimitsReader.Read),
            StartTls = section.Section(nameof(ListenerConfig.StartTls), ReadStartTls),
        };
    }

    private static ListenerStartTlsConfig ReadStartTls(SectionReader section) => new()
    {
        Greeting = section.Choice<StartTlsGreeting>(nameof(ListenerStartTlsConfig.Greeting)) ?? default,
        Name = section.Text(nameof(ListenerStartTlsConfig.Name)),
    };

    private static ListenerProxyProtocolConfig ReadProxyProtocol(SectionReader section)
    {
        var defaults = new ListenerProxyProtocolConfig();
        return new ListenerProxyProtocolConfig
        {
            Mode = section.Choice<ProxyProtocolMode>(nameof(ListenerProxyProtocolConfig.Mode)) ?? defaults.Mode,
            TrustedNetworks = section.TextList(nameof(ListenerProxyProtocolConfig.TrustedNetworks)) ?? defaults.TrustedNetworks,
            Timeout = section.Time(nameof(ListenerProxyProtocolConfig.Timeout)) ?? defaults.Timeout,
        };
    }

    private static HttpChallengeConfig ReadHttpChallenge(SectionReader section) => new()
    {
        Address = section.Text(nameof(HttpChallengeConfig.Address)) ?? "",
        RedirectToHttps = section.Flag(nameof(HttpChallengeConfig.RedirectToHttps)) ?? new HttpChallengeConfig().RedirectToHttps,
    };
}
