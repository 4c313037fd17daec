namespace KestrelStream.ProxyProtocol;

/// <summary>Types and sizes of the fields of a v2 header (proxy-protocol.txt §2.2).</summary>
internal static class ProxyTlv
{
    public const byte Alpn = 0x01;
    public const byte Authority = 0x02;
    public const byte Crc32C = 0x03;
    public const byte NoOp = 0x04;
    public const byte UniqueId = 0x05;
    public const byte Ssl = 0x20;
    public const byte SslVersion = 0x21;
    public const byte SslCommonName = 0x22;
    public const byte SslCipher = 0x23;
    public const byte SslSignatureAlgorithm = 0x24;
    public const byte SslKeyAlgorithm = 0x25;
    public const byte SslGroup = 0x26;
    public const byte SslSignatureScheme = 0x27;
    public const byte NetworkNamespace = 0x30;

    /// <summary>Google's, a u64 in network order.</summary>
    public const byte GcpConnectionId = 0xE0;

    /// <summary>Amazon's; its first byte tells what follows.</summary>
    public const byte Aws = 0xEA;
    public const byte AwsVpcEndpoint = 0x01;

    /// <summary>Microsoft's; its first byte tells what follows.</summary>
    public const byte Azure = 0xEE;

    /// <summary>A u32, little-endian.</summary>
    public const byte AzureLinkId = 0x01;

    public const int HeaderBytes = 3;
    public const int MaxUniqueIdBytes = 128;

    /// <summary>More than any sender has use for, in one header.</summary>
    public const int MaxCount = 64;

    /// <summary>An address block of AF_UNIX has two of them.</summary>
    public const int UnixPathBytes = 108;
}
