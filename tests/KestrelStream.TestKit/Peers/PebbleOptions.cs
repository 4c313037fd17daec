using System.Net;

namespace KestrelStream.TestKit.Peers;

/// <summary>How pebble is to behave.</summary>
public sealed record PebbleOptions
{
    /// <summary>Port that tls-alpn-01 is asked on: our listener's.</summary>
    public int TlsPort { get; init; } = 1;

    /// <summary>Port that http-01 is asked on.</summary>
    public int HttpPort { get; init; } = 1;

    /// <summary>Name server it asks.</summary>
    public required IPEndPoint Dns { get; init; }

    /// <summary>Good nonces that it rejects, in percent.</summary>
    public int NonceReject { get; init; }

    /// <summary>Most seconds it sleeps before it asks a challenge; 0 = none.</summary>
    public int Sleep { get; init; }

    /// <summary>Life of the certificates it issues.</summary>
    public TimeSpan Validity { get; init; } = TimeSpan.FromDays(90);

    /// <summary>Id and base64url key of the only account that new ones may be bound to; null = none is needed.</summary>
    public (string KeyId, string HmacKey)? ExternalAccount { get; init; }
}
