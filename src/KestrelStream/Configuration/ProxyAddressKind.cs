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

    /// <summary>A name the operating system resolves.</summary>
    Host,

    /// <summary>A unix domain socket.</summary>
    Unix,
}
