namespace KestrelStream.Preread;

/// <summary>TLS extension types (IANA "TLS ExtensionType Values") that the parser reads; it steps over all others.</summary>
internal enum TlsExtension : ushort
{
    ServerName = 0,
    Alpn = 16,
    PreSharedKey = 41,
    SupportedVersions = 43,
    EncryptedClientHello = 0xfe0d,
}
