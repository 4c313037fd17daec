using KestrelStream.ProxyProtocol;
using KestrelStream.Sessions;
using KestrelStream.Transport;
using static KestrelStream.Sessions.SessionTraceNeeds;

namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>The one list of fields, in the order of a record. Public surface: add, do not rename.</summary>
internal static class AccessLogFields
{
    private static readonly string[] s_events = [.. Enum.GetNames<AccessLogEvent>().Select(name => name.ToLowerInvariant())];

    public static readonly AccessLogField[] All =
    [
        new("time", (to, key, record) => to.Write(key, record.Ended)),
        new("event", (to, key, record) => to.Write(key, s_events[(int)record.Event])),
        new("id", (to, key, record) => to.WriteHex(key, record.SessionId)),
        new("listener", (to, key, record) => to.Write(key, record.Listener)),
        new("route", (to, key, record) => to.Write(key, record.Route)),
        new("cluster", (to, key, record) => to.Write(key, record.Cluster)),
        new("destination", (to, key, record) => to.Write(key, record.Destination)),
        new("client", (to, key, record) => to.Write(key, record.Client)),
        new("peer", (to, key, record) => to.Write(key, record.Peer ?? record.Client)),
        new("sni", (to, key, record) => to.Write(key, record.ServerName)),
        new("alpn_offered", (to, key, record) => to.WriteAlpn(key, record.Trace?.AlpnOffered), AlpnOffered),
        new("ja4", (to, key, record) => to.Write(key, record.Trace?.Ja4), Ja4),
        new("starttls", (to, key, record) => to.Write(key, record.StartTls)),
        new("alpn", (to, key, record) => to.Write(key, record.Tls?.Alpn), of: AccessLogFacts.Tls),
        new("tls_version", (to, key, record) => to.Write(key, record.Tls?.Version), of: AccessLogFacts.Tls),
        new("tls_cipher", (to, key, record) => to.Write(key, record.Tls?.Cipher), of: AccessLogFacts.Tls),
        new("tls_resumed", (to, key, record) => to.Write(key, record.Tls?.IsResumed), of: AccessLogFacts.Tls),
        new("client_certificate_subject", (to, key, record) => to.Write(key, record.Tls?.ClientCertificate?.Subject), of: AccessLogFacts.Tls),
        new("client_certificate_issuer", (to, key, record) => to.Write(key, record.Tls?.ClientCertificate?.Issuer), of: AccessLogFacts.Tls),
        new("client_certificate_san", (to, key, record) => to.Write(key, record.Tls?.ClientCertificate?.SubjectAlternativeNames), of: AccessLogFacts.Tls),
        new("client_certificate_sha256", (to, key, record) => to.Write(key, record.Tls?.ClientCertificate?.Sha256), of: AccessLogFacts.Tls),
        .. OfProxyHeader(),
        new("bytes_in", (to, key, record) => to.Write(key, record.BytesIn)),
        new("bytes_out", (to, key, record) => to.Write(key, record.BytesOut)),
        new("duration_ms", (to, key, record) => to.Write(key, record.Duration)),
        new("queue_ms", (to, key, record) => to.Write(key, record.QueueTime > TimeSpan.Zero ? record.QueueTime : null)),
        new("dial_ms", (to, key, record) => to.Write(key, record.HasDialled ? record.DialTime : null)),
        new("hello_at_ms", (to, key, record) => to.Write(key, record.Trace?.Hello), Times),
        new("handshake_at_ms", (to, key, record) => to.Write(key, record.Trace?.Handshake), Times),
        new("connected_at_ms", (to, key, record) => to.Write(key, record.Trace?.Connected), Times),
        new("first_byte_in_at_ms", (to, key, record) => to.Write(key, record.Trace?.FirstByteIn), Times),
        new("first_byte_out_at_ms", (to, key, record) => to.Write(key, record.Trace?.FirstByteOut), Times),
        new("attempts", (to, key, record) =>
        {
            if (record.HasDialled)
            {
                to.Write(key, record.AllAttempts());
            }
        }),
        new("upstream_alpn", (to, key, record) => to.Write(key, record.UpstreamTls?.Alpn), of: AccessLogFacts.UpstreamTls),
        new("upstream_tls_version", (to, key, record) => to.Write(key, record.UpstreamTls?.Version), of: AccessLogFacts.UpstreamTls),
        new("upstream_tls_cipher", (to, key, record) => to.Write(key, record.UpstreamTls?.Cipher), of: AccessLogFacts.UpstreamTls),
        new("upstream_tls_resumed", (to, key, record) => to.Write(key, record.UpstreamTls?.IsResumed), of: AccessLogFacts.UpstreamTls),
        new("upstream_tls_ms", (to, key, record) => to.Write(key, record.UpstreamTls is null ? null : record.UpstreamTlsTime), of: AccessLogFacts.UpstreamTls),
        new("upstream_tls_error", (to, key, record) => to.Write(key, record.UpstreamTlsError)),
        new("client_rtt_ms", (to, key, record) => to.Write(key, record.Trace?.ClientTcp?.RoundTrip), TcpInfo, AccessLogFacts.TcpInfo),
        new("client_retransmits", (to, key, record) => to.Write(key, Retransmits(record.Trace?.ClientTcp)), TcpInfo, AccessLogFacts.TcpInfo),
        new("upstream_rtt_ms", (to, key, record) => to.Write(key, record.Trace?.UpstreamTcp?.RoundTrip), TcpInfo, AccessLogFacts.TcpInfo),
        new("upstream_retransmits", (to, key, record) => to.Write(key, Retransmits(record.Trace?.UpstreamTcp)), TcpInfo, AccessLogFacts.TcpInfo),
        new("end_reason", (to, key, record) => to.Write(key, HasEnded(record) ? SessionEndReasons.NameOf(record.EndReason) : null)),
        new("end_code", (to, key, record) => to.Write(key, HasEnded(record) ? EndCodes.Of(record.EndReason, record.Route is not null, record.Destination is not null) : null)),
        new("generation", (to, key, record) => to.Write(key, record.Generation)),
    ];

    /// <summary>What the peer has said of the client, besides its address. Texts are whatever it likes: all of them are escaped.</summary>
    private static AccessLogField[] OfProxyHeader() =>
    [
        OfHeader("proxy_alpn", (to, key, header) => to.WriteLatin1(key, header.Alpn)),
        OfHeader("proxy_authority", (to, key, header) => to.Write(key, header.Authority)),
        OfHeader("proxy_unique_id", (to, key, header) => to.WriteTextOrHex(key, header.UniqueId)),
        OfHeader("proxy_tls_version", (to, key, header) => to.Write(key, header.Tls?.Version)),
        OfHeader("proxy_tls_cipher", (to, key, header) => to.Write(key, header.Tls?.Cipher)),
        OfHeader("proxy_tls_client", (to, key, header) => to.Write(key, header.Tls?.CommonName)),
        OfHeader("proxy_aws_endpoint", (to, key, header) => to.Write(key, header.AwsVpcEndpoint)),
        OfHeader("proxy_azure_link", (to, key, header) => to.Write(key, header.AzureLinkId?.ToString(System.Globalization.CultureInfo.InvariantCulture))),
        OfHeader("proxy_gcp_connection", (to, key, header) => to.Write(key, header.GcpConnectionId?.ToString(System.Globalization.CultureInfo.InvariantCulture))),
    ];

    private static AccessLogField OfHeader(string name, Action<AccessLogFormatter, AccessLogField, ProxyHeader> write)
        => new(name, (to, key, record) =>
        {
            if (record.ProxyHeader is { } header)
            {
                write(to, key, header);
            }
        }, of: AccessLogFacts.ProxyHeader);

    private static long? Retransmits(TcpFacts? facts) => facts?.RoundTrip is null ? null : facts.Retransmits;

    private static bool HasEnded(AccessLogRecord record) => record.Event == AccessLogEvent.End && record.EndReason != SessionEndReason.None;
}
