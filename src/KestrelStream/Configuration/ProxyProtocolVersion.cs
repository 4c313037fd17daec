namespace KestrelStream.Configuration;

/// <summary>The PROXY header that destinations are sent.</summary>
public enum ProxyProtocolVersion
{
    /// <summary>None.</summary>
    Off,

    /// <summary>The line of text: addresses only.</summary>
    V1,

    /// <summary>The binary form, which has room for more: see <see cref="ProxyProtocolTlv"/>.</summary>
    V2,
}
