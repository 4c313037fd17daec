namespace KestrelStream.Configuration.Reading;

/// <summary>Keys of <c>StreamProxy:Clusters:{id}:Tls</c>.</summary>
internal static class UpstreamTlsReader
{
    private static readonly UpstreamTlsConfig s_tls = new();

    public static UpstreamTlsConfig Read(SectionReader section) => new()
    {
        Enabled = section.Flag(nameof(UpstreamTlsConfig.Enabled)) ?? s_tls.Enabled,
        ServerName = section.Text(nameof(UpstreamTlsConfig.ServerName)),
        Verify = section.Flag(nameof(UpstreamTlsConfig.Verify)) ?? s_tls.Verify,
        TrustedCertificates = section.Text(nameof(UpstreamTlsConfig.TrustedCertificates)),
        Certificate = section.Text(nameof(UpstreamTlsConfig.Certificate)),
        Alpn = section.TextList(nameof(UpstreamTlsConfig.Alpn)) ?? s_tls.Alpn,
        Protocols = section.ChoiceList<TlsVersion>(nameof(UpstreamTlsConfig.Protocols)) ?? s_tls.Protocols,
        Ciphers = section.Text(nameof(UpstreamTlsConfig.Ciphers)),
        CipherSuites = section.Text(nameof(UpstreamTlsConfig.CipherSuites)),
        Groups = section.Text(nameof(UpstreamTlsConfig.Groups)),
        SessionResumption = section.Flag(nameof(UpstreamTlsConfig.SessionResumption)) ?? s_tls.SessionResumption,
        HandshakeTimeout = section.Time(nameof(UpstreamTlsConfig.HandshakeTimeout)) ?? s_tls.HandshakeTimeout,
    };
}
