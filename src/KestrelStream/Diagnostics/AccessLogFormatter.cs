using System.Buffers;
using System.Globalization;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Dialing;
using KestrelStream.ProxyProtocol;

namespace KestrelStream.Diagnostics;

/// <summary>Turns records into lines, one each, whatever the network sent. A fact that a session does not have is left out. One for each log; not thread-safe.</summary>
internal abstract class AccessLogFormatter
{
    public static AccessLogFormatter Create(AccessLogFormat format, IBufferWriter<byte> output)
        => format == AccessLogFormat.Text ? new AccessLogTextFormatter(output) : new AccessLogJsonFormatter(output);

    /// <summary>The one list of keys. Public surface: add, do not rename.</summary>
    public void Format(in AccessLogRecord record)
    {
        var attempts = record.AllAttempts();

        Begin();
        Write("time"u8, record.Ended.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture));
        Write("event"u8, "end");
        Write("id"u8, record.SessionId.ToString("x", CultureInfo.InvariantCulture));
        Write("listener"u8, record.Listener);
        Write("route"u8, record.Route);
        Write("cluster"u8, record.Cluster);
        Write("destination"u8, record.Destination);
        Write("client"u8, EndPointText.Of(record.Client));
        Write("peer"u8, EndPointText.Of(record.Peer ?? record.Client));
        Write("sni"u8, record.ServerName);
        Write("alpn"u8, record.Tls?.Alpn);
        Write("tls_version"u8, record.Tls?.Version);
        Write("tls_cipher"u8, record.Tls?.Cipher);
        Write("tls_resumed"u8, record.Tls?.IsResumed);
        if (record.Tls?.ClientCertificate is { } certificate)
        {
            Write("client_certificate_subject"u8, certificate.Subject);
            Write("client_certificate_issuer"u8, certificate.Issuer);
            Write("client_certificate_san"u8, certificate.SubjectAlternativeNames);
            Write("client_certificate_sha256"u8, certificate.Sha256);
        }

        if (record.ProxyHeader is { } header)
        {
            Write(header);
        }

        Write("bytes_in"u8, record.BytesIn);
        Write("bytes_out"u8, record.BytesOut);
        Write("duration_ms"u8, record.Duration);
        if (record.QueueTime > TimeSpan.Zero)
        {
            Write("queue_ms"u8, record.QueueTime);
        }

        if (attempts.Count > 0)
        {
            Write("dial_ms"u8, record.DialTime);
            Write("attempts"u8, attempts);
        }

        if (record.UpstreamTls is { } upstream)
        {
            Write("upstream_alpn"u8, upstream.Alpn);
            Write("upstream_tls_version"u8, upstream.Version);
            Write("upstream_tls_cipher"u8, upstream.Cipher);
            Write("upstream_tls_resumed"u8, upstream.IsResumed);
            Write("upstream_tls_ms"u8, record.UpstreamTlsTime);
            Write("upstream_tls_error"u8, record.UpstreamTlsError);
        }

        Write("end_reason"u8, SessionEndReasons.NameOf(record.EndReason));
        Write("generation"u8, record.Generation);
        End();
    }

    /// <summary>What the peer has said of the client, besides its address. Texts are whatever it likes: all of them are escaped.</summary>
    private void Write(ProxyHeader header)
    {
        Write("proxy_alpn"u8, header.Alpn is { } alpn ? Encoding.Latin1.GetString(alpn.Span) : null);
        Write("proxy_authority"u8, header.Authority);
        Write("proxy_unique_id"u8, header.UniqueId is { } id ? UniqueIdText(id.Span) : null);
        Write("proxy_tls_version"u8, header.Tls?.Version);
        Write("proxy_tls_cipher"u8, header.Tls?.Cipher);
        Write("proxy_tls_client"u8, header.Tls?.CommonName);
        Write("proxy_aws_endpoint"u8, header.AwsVpcEndpoint);
        Write("proxy_azure_link"u8, header.AzureLinkId?.ToString(CultureInfo.InvariantCulture));
        Write("proxy_gcp_connection"u8, header.GcpConnectionId?.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>As text where it is one (ours, HAProxy's), else in hexadecimal.</summary>
    private static string UniqueIdText(ReadOnlySpan<byte> id)
        => id.ContainsAnyExceptInRange((byte)0x21, (byte)0x7e) ? Convert.ToHexStringLower(id) : Encoding.ASCII.GetString(id);

    /// <summary>Milliseconds to the microsecond.</summary>
    protected static double Milliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 3);

    protected abstract void Begin();

    protected abstract void Write(ReadOnlySpan<byte> key, string? value);

    protected abstract void Write(ReadOnlySpan<byte> key, bool? value);

    protected abstract void Write(ReadOnlySpan<byte> key, long value);

    protected abstract void Write(ReadOnlySpan<byte> key, TimeSpan value);

    protected abstract void Write(ReadOnlySpan<byte> key, IReadOnlyList<DialAttempt> attempts);

    protected abstract void End();
}
