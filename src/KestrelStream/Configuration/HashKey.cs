namespace KestrelStream.Configuration;

/// <summary>What <c>ConsistentHash</c> looks at: sessions of the same key go to the same destination.</summary>
public enum HashKey
{
    /// <summary>The client's address.</summary>
    ClientIp,

    /// <summary>The client's network: /24 of IPv4, /64 of IPv6.</summary>
    ClientPrefix,

    /// <summary>The server name that the client asked for.</summary>
    Sni,
}
