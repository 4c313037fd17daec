namespace KestrelStream.Configuration;

/// <summary>Forms of a <see cref="ProxyAddress"/>.</summary>
internal enum ProxyAddressKind
{
    /// <summary>One IPv4 or IPv6 address.</summary>
    Ip,

    /// <summary><c>*</c>: every address, IPv4 and IPv6.</summary>
    Any,

    /// <summary><c>localhost</c>: both loopback addresses when listening; a name when dialling.</summary>
    Localhost,

    /// <summary>A name with one or more addresses.</summary>
    Host,

    /// <summary>A unix domain socket.</summary>
    Unix,

    /// <summary><c>srv+_service._proto.domain</c>: SRV records say names and ports (RFC 2782).</summary>
    Srv,

    /// <summary><c>{sni}</c>: the server name that the client has asked for.</summary>
    Dynamic,
}
