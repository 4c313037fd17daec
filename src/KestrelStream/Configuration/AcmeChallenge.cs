namespace KestrelStream.Configuration;

/// <summary>How an ACME server is shown that a name is ours.</summary>
public enum AcmeChallenge
{
    /// <summary>Over TLS on port 443 (RFC 8737), answered by the proxy's own listeners.</summary>
    TlsAlpn01,

    /// <summary>Over HTTP on port 80 (RFC 8555 §8.3), answered at <see cref="HttpChallengeConfig.Address"/>.</summary>
    Http01,
}
