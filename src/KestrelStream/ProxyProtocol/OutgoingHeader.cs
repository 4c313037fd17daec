using System.Globalization;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Sessions;
using KestrelStream.Tls;

namespace KestrelStream.ProxyProtocol;

/// <summary>What a destination is told of a session, or of ourselves when we check it. Pure but for the id of this process.</summary>
internal static class OutgoingHeader
{
    /// <summary>Sets our unique ids apart from those of proxies side by side, and of this one before a restart.</summary>
    private static readonly string s_process = Random.Shared.NextInt64().ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>Of a session; empty = the cluster's destinations are sent none.</summary>
    public static ReadOnlyMemory<byte> Of(StreamSession session, ClusterConfig cluster)
    {
        if (cluster.ProxyProtocol == ProxyProtocolVersion.Off)
        {
            return default;
        }

        // An address is told with the one it connected to: of the same hop both.
        var received = session.ProxyHeader;
        var header = new ProxyHeader
        {
            Version = 2,
            IsLocal = received is { IsLocal: true },
            Source = session.ClientEndPoint,
            Destination = received?.Source is null ? session.Transport.GetBoundEndPoint() : received.Destination,
        };
        if (cluster.ProxyProtocol == ProxyProtocolVersion.V1)
        {
            return ProxyHeaderWriter.WriteV1(header);
        }

        foreach (var tlv in cluster.Tlvs)
        {
            header = tlv switch
            {
                ProxyProtocolTlv.Alpn => header with { Alpn = session.Tls?.Alpn is { } alpn ? Encoding.UTF8.GetBytes(alpn) : received?.Alpn },
                ProxyProtocolTlv.Authority => header with { Authority = session.ServerName ?? received?.Authority },
                ProxyProtocolTlv.UniqueId => header with { UniqueId = received?.UniqueId ?? Encoding.ASCII.GetBytes($"{s_process}-{session.IdText}") },
                ProxyProtocolTlv.Ssl => header with { Tls = session.Tls is { } tls ? TlsOf(tls) : received?.Tls },
                _ => header,
            };
        }

        return ProxyHeaderWriter.WriteV2(header, cluster.Tlvs.Contains(ProxyProtocolTlv.Crc32c));
    }

    /// <summary>
    /// A certificate that was shown is a verified one, as sessions with another do not get so far. In a resumed session it was shown when that began.
    /// </summary>
    private static ProxyHeaderTls TlsOf(TlsFacts tls)
    {
        var certificate = tls.ClientCertificate is null ? 0 : ProxyHeaderTls.CertificateOfSession | (tls.IsResumed == true ? 0 : ProxyHeaderTls.CertificateOfConnection);
        return new ProxyHeaderTls((byte)(ProxyHeaderTls.UsesTls | certificate), Verify: tls.ClientCertificate is null ? 1u : 0)
        {
            Version = tls.Version,
            Cipher = tls.Cipher,
            CommonName = tls.ClientCertificate?.CommonName,
        };
    }

    /// <summary>Of a connection of our own, such as a health check's.</summary>
    public static ReadOnlyMemory<byte> OfOurselves(ClusterConfig cluster)
    {
        var header = new ProxyHeader { Version = 2, IsLocal = true };
        return cluster.ProxyProtocol switch
        {
            ProxyProtocolVersion.V1 => ProxyHeaderWriter.WriteV1(header),
            ProxyProtocolVersion.V2 => ProxyHeaderWriter.WriteV2(header, cluster.Tlvs.Contains(ProxyProtocolTlv.Crc32c)),
            _ => default,
        };
    }
}
