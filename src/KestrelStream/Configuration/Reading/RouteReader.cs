namespace KestrelStream.Configuration.Reading;

/// <summary>Keys of <c>StreamProxy:Routes:{id}</c>.</summary>
internal static class RouteReader
{
    private static readonly RouteConfig s_route = new();
    private static readonly RouteMatch s_match = new();
    private static readonly RouteTlsConfig s_tls = new();
    private static readonly SessionTicketsConfig s_tickets = new();
    private static readonly ClientCertificatesConfig s_clientCertificates = new();

    public static RouteConfig Read(SectionReader section)
    {
        return new RouteConfig
        {
            Listeners = section.TextList(nameof(RouteConfig.Listeners)),
            Match = section.Section(nameof(RouteConfig.Match), ReadMatch) ?? s_route.Match,
            Tls = section.Section(nameof(RouteConfig.Tls), ReadTls),
            StartTls = section.Choice<StartTlsProtocol>(nameof(RouteConfig.StartTls)),
            ClusterId = section.Text(nameof(RouteConfig.ClusterId)),
            Action = section.Choice<RouteAction>(nameof(RouteConfig.Action)) ?? s_route.Action,
            Order = section.Number(nameof(RouteConfig.Order)) ?? s_route.Order,
            IdleTimeout = section.Time(nameof(RouteConfig.IdleTimeout)) ?? s_route.IdleTimeout,
            HalfCloseTimeout = section.Time(nameof(RouteConfig.HalfCloseTimeout)) ?? s_route.HalfCloseTimeout,
            MaxSessionLifetime = section.Time(nameof(RouteConfig.MaxSessionLifetime)),
            Allow = section.TextList(nameof(RouteConfig.Allow)) ?? s_route.Allow,
            Deny = section.TextList(nameof(RouteConfig.Deny)) ?? s_route.Deny,
            AllowFile = section.Text(nameof(RouteConfig.AllowFile)),
            DenyFile = section.Text(nameof(RouteConfig.DenyFile)),
            DenyAction = section.Choice<RefusalAction>(nameof(RouteConfig.DenyAction)) ?? s_route.DenyAction,
            Limits = section.Section(nameof(RouteConfig.Limits), LimitsReader.Read),
        };
    }

    private static RouteMatch ReadMatch(SectionReader section)
    {
        return new RouteMatch
        {
            Sni = section.TextList(nameof(RouteMatch.Sni)) ?? s_match.Sni,
            Alpn = section.TextList(nameof(RouteMatch.Alpn)) ?? s_match.Alpn,
            Protocols = section.ChoiceList<ClientProtocol>(nameof(RouteMatch.Protocols)) ?? s_match.Protocols,
            ClientNetworks = section.TextList(nameof(RouteMatch.ClientNetworks)) ?? s_match.ClientNetworks,
            FirstBytes = section.TextList(nameof(RouteMatch.FirstBytes)) ?? s_match.FirstBytes,
        };
    }

    private static RouteTlsConfig ReadTls(SectionReader section)
    {
        return new RouteTlsConfig
        {
            Mode = section.Choice<TlsMode>(nameof(RouteTlsConfig.Mode)) ?? s_tls.Mode,
            Certificates = section.TextList(nameof(RouteTlsConfig.Certificates)) ?? s_tls.Certificates,
            UnknownName = section.Choice<UnknownName>(nameof(RouteTlsConfig.UnknownName)),
            Protocols = section.ChoiceList<TlsVersion>(nameof(RouteTlsConfig.Protocols)) ?? s_tls.Protocols,
            Ciphers = section.Text(nameof(RouteTlsConfig.Ciphers)),
            CipherSuites = section.Text(nameof(RouteTlsConfig.CipherSuites)),
            Groups = section.Text(nameof(RouteTlsConfig.Groups)),
            PreferServerCiphers = section.Flag(nameof(RouteTlsConfig.PreferServerCiphers)) ?? s_tls.PreferServerCiphers,
            Alpn = section.TextList(nameof(RouteTlsConfig.Alpn)) ?? s_tls.Alpn,
            SessionResumption = section.Flag(nameof(RouteTlsConfig.SessionResumption)) ?? s_tls.SessionResumption,
            SessionTimeout = section.Time(nameof(RouteTlsConfig.SessionTimeout)) ?? s_tls.SessionTimeout,
            SessionCacheSize = section.Number(nameof(RouteTlsConfig.SessionCacheSize)) ?? s_tls.SessionCacheSize,
            SessionTickets = section.Section(nameof(RouteTlsConfig.SessionTickets), ReadSessionTickets),
            OcspStapling = section.Flag(nameof(RouteTlsConfig.OcspStapling)) ?? s_tls.OcspStapling,
            OcspResponder = section.Text(nameof(RouteTlsConfig.OcspResponder)),
            OcspFiles = section.TextList(nameof(RouteTlsConfig.OcspFiles)) ?? s_tls.OcspFiles,
            ClientCertificates = section.Section(nameof(RouteTlsConfig.ClientCertificates), ReadClientCertificates),
        };
    }

    private static SessionTicketsConfig ReadSessionTickets(SectionReader section)
    {
        return new SessionTicketsConfig
        {
            Enabled = section.Flag(nameof(SessionTicketsConfig.Enabled)) ?? s_tickets.Enabled,
            RotationInterval = section.Time(nameof(SessionTicketsConfig.RotationInterval)) ?? s_tickets.RotationInterval,
            KeyFiles = section.TextList(nameof(SessionTicketsConfig.KeyFiles)) ?? s_tickets.KeyFiles,
        };
    }

    private static ClientCertificatesConfig ReadClientCertificates(SectionReader section)
    {
        return new ClientCertificatesConfig
        {
            Mode = section.Choice<ClientCertificateMode>(nameof(ClientCertificatesConfig.Mode)) ?? s_clientCertificates.Mode,
            TrustedCertificates = section.Text(nameof(ClientCertificatesConfig.TrustedCertificates)),
            Depth = section.Number(nameof(ClientCertificatesConfig.Depth)) ?? s_clientCertificates.Depth,
            Crl = section.Text(nameof(ClientCertificatesConfig.Crl)),
            Ocsp = section.Choice<ClientOcspMode>(nameof(ClientCertificatesConfig.Ocsp)) ?? s_clientCertificates.Ocsp,
            OcspResponder = section.Text(nameof(ClientCertificatesConfig.OcspResponder)),
            OcspTimeout = section.Time(nameof(ClientCertificatesConfig.OcspTimeout)) ?? s_clientCertificates.OcspTimeout,
        };
    }
}
