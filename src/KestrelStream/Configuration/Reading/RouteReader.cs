namespace KestrelStream.Configuration.Reading;

/// <summary>Keys of <c>StreamProxy:Routes:{id}</c>.</summary>
internal static class RouteReader
{
    public static RouteConfig Read(SectionReader section)
    {
        var defaults = new RouteConfig();
        return new RouteConfig
        {
            Listeners = section.TextList(nameof(RouteConfig.Listeners)),
            Match = section.Section(nameof(RouteConfig.Match), ReadMatch) ?? defaults.Match,
            Tls = section.Section(nameof(RouteConfig.Tls), ReadTls),
            ClusterId = section.Text(nameof(RouteConfig.ClusterId)),
            Action = section.Choice<RouteAction>(nameof(RouteConfig.Action)) ?? defaults.Action,
            Order = section.Number(nameof(RouteConfig.Order)) ?? defaults.Order,
            IdleTimeout = section.Time(nameof(RouteConfig.IdleTimeout)) ?? defaults.IdleTimeout,
            HalfCloseTimeout = section.Time(nameof(RouteConfig.HalfCloseTimeout)) ?? defaults.HalfCloseTimeout,
            MaxSessionLifetime = section.Time(nameof(RouteConfig.MaxSessionLifetime)),
        };
    }

    private static RouteMatch ReadMatch(SectionReader section)
    {
        var defaults = new RouteMatch();
        return new RouteMatch
        {
            Sni = section.TextList(nameof(RouteMatch.Sni)) ?? defaults.Sni,
            Alpn = section.TextList(nameof(RouteMatch.Alpn)) ?? defaults.Alpn,
            Protocols = section.ChoiceList<ClientProtocol>(nameof(RouteMatch.Protocols)) ?? defaults.Protocols,
        };
    }

    private static RouteTlsConfig ReadTls(SectionReader section)
    {
        var defaults = new RouteTlsConfig();
        return new RouteTlsConfig
        {
            Mode = section.Choice<TlsMode>(nameof(RouteTlsConfig.Mode)) ?? defaults.Mode,
            Certificates = section.TextList(nameof(RouteTlsConfig.Certificates)) ?? defaults.Certificates,
            Protocols = section.ChoiceList<TlsVersion>(nameof(RouteTlsConfig.Protocols)) ?? defaults.Protocols,
            Ciphers = section.Text(nameof(RouteTlsConfig.Ciphers)),
            PreferServerCiphers = section.Flag(nameof(RouteTlsConfig.PreferServerCiphers)) ?? defaults.PreferServerCiphers,
            Alpn = section.TextList(nameof(RouteTlsConfig.Alpn)) ?? defaults.Alpn,
        };
    }
}
