using System.Net;
using KestrelStream.Sessions;
using KestrelStream.Transport;
using static KestrelStream.Sessions.SessionTraceNeeds;

namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>nginx's names for what a record can say, for templates that were log formats of its stream module. Values are as nginx writes them.</summary>
internal static class NginxVariables
{
    private static readonly string s_host = Environment.MachineName;

    public static readonly AccessLogField[] All =
    [
        new("remote_addr", (to, field, record) => to.WriteAddress(field, record.Client)),
        new("remote_port", (to, field, record) => to.Write(field, Port(record.Client))),
        new("server_addr", (to, field, record) => to.WriteAddress(field, record.Local)),
        new("server_port", (to, field, record) => to.Write(field, Port(record.Local))),
        new("realip_remote_addr", (to, field, record) => to.WriteAddress(field, record.Peer ?? record.Client)),
        new("realip_remote_port", (to, field, record) => to.Write(field, Port(record.Peer ?? record.Client))),
        new("proxy_protocol_addr", (to, field, record) => to.WriteAddress(field, record.ProxyHeader?.Source)),
        new("proxy_protocol_port", (to, field, record) => to.Write(field, Port(record.ProxyHeader?.Source))),
        new("protocol", (to, field, record) => to.Write(field, "TCP")),
        new("connection", (to, field, record) => to.Write(field, record.SessionId)),
        new("status", (to, field, record) => to.Write(field, EndCodes.StatusOfReason(record.EndReason))),
        new("bytes_sent", (to, field, record) => to.Write(field, record.BytesOut)),
        new("bytes_received", (to, field, record) => to.Write(field, record.BytesIn)),
        new("session_time", (to, field, record) => to.WriteSeconds(field, record.Duration)),
        new("msec", (to, field, record) => to.WriteSeconds(field, record.Ended - DateTimeOffset.UnixEpoch)),
        new("time_local", (to, field, record) => to.Write(field, record.Ended.LocalDateTime, "dd/MMM/yyyy:HH:mm:ss")),
        new("time_iso8601", (to, field, record) => to.Write(field, record.Ended.LocalDateTime, "yyyy-MM-ddTHH:mm:ss")),
        new("hostname", (to, field, record) => to.Write(field, s_host)),
        new("pid", (to, field, record) => to.Write(field, Environment.ProcessId)),
        new("ssl_preread_server_name", (to, field, record) => to.Write(field, record.ServerName)),
        new("ssl_preread_alpn_protocols", (to, field, record) => to.WriteAlpn(field, record.Trace?.AlpnOffered), AlpnOffered),
        new("ssl_server_name", (to, field, record) => to.Write(field, record.Tls is null ? null : record.ServerName)),
        new("ssl_protocol", (to, field, record) => to.Write(field, record.Tls?.Version)),
        new("ssl_cipher", (to, field, record) => to.Write(field, record.Tls?.Cipher)),
        new("ssl_alpn_protocol", (to, field, record) => to.Write(field, record.Tls?.Alpn)),
        new("ssl_session_reused", (to, field, record) => to.Write(field, record.Tls?.IsResumed switch { true => "r", false => ".", null => null })),
        new("ssl_client_s_dn", (to, field, record) => to.Write(field, record.Tls?.ClientCertificate?.Subject)),
        new("ssl_client_i_dn", (to, field, record) => to.Write(field, record.Tls?.ClientCertificate?.Issuer)),
        new("upstream_addr", (to, field, record) => to.Write(field, OfAttempts(record, attempt => EndPointText.Of(attempt.Address) ?? attempt.Destination) ?? record.Cluster)),
        new("upstream_connect_time", (to, field, record) => to.Write(field, OfAttempts(record, attempt => attempt.Result == ConnectStatus.Connected ? AccessLogFormatter.Seconds(attempt.Elapsed) : "-"))),
        new("upstream_first_byte_time", (to, field, record) => to.WriteSeconds(field, record.Trace?.FirstByteOut - (record.Trace?.Connected - record.DialTime)), Times),
        new("upstream_session_time", (to, field, record) => to.WriteSeconds(field, record.Duration - (record.Trace?.Connected - record.DialTime)), Times),
        new("upstream_bytes_sent", (to, field, record) => to.Write(field, record.Destination is null ? null : record.BytesIn)),
        new("upstream_bytes_received", (to, field, record) => to.Write(field, record.Destination is null ? null : record.BytesOut)),
    ];

    private static long? Port(EndPoint? endPoint) => (endPoint as IPEndPoint)?.Port;

    /// <summary>One item an attempt.</summary>
    private static string? OfAttempts(AccessLogRecord record, Func<Dialing.DialAttempt, string> item)
        => record.AllAttempts() is { Count: > 0 } attempts ? string.Join(",", attempts.Select(item)) : null;
}
