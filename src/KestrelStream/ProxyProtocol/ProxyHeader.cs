using System.Net;

namespace KestrelStream.ProxyProtocol;

/// <summary>What a PROXY header says: on whose behalf a connection is made, and what is known of it. Immutable; texts are the sender's and are escaped where they are shown.</summary>
internal sealed record ProxyHeader
{
    /// <summary>1 or 2.</summary>
    public required int Version { get; init; }

    /// <summary>The sender speaks for itself, as health checks do.</summary>
    public bool IsLocal { get; init; }

    /// <summary>The client; null = the header does not say (LOCAL, UNKNOWN), so the socket's address counts. Never an IPv4-mapped address.</summary>
    public EndPoint? Source { get; init; }

    /// <summary>Where the client connected to; null as <see cref="Source"/>.</summary>
    public EndPoint? Destination { get; init; }

    /// <summary>The ALPN protocol in use: bytes, which need not be text.</summary>
    public ReadOnlyMemory<byte>? Alpn { get; init; }

    /// <summary>The host name that the client asked for.</summary>
    public string? Authority { get; init; }

    /// <summary>Names the connection over several hops; at most <see cref="ProxyTlv.MaxUniqueIdBytes"/>.</summary>
    public ReadOnlyMemory<byte>? UniqueId { get; init; }

    /// <summary>The TLS connection that ended at the sender.</summary>
    public ProxyHeaderTls? Tls { get; init; }

    /// <summary>The network namespace of the client.</summary>
    public string? NetworkNamespace { get; init; }

    /// <summary>The client's VPC endpoint at AWS.</summary>
    public string? AwsVpcEndpoint { get; init; }

    /// <summary>The client's private endpoint at Azure.</summary>
    public uint? AzureLinkId { get; init; }

    /// <summary>The client's Private Service Connect connection at Google.</summary>
    public ulong? GcpConnectionId { get; init; }
}
