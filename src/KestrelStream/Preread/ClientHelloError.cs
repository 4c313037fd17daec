namespace KestrelStream.Preread;

/// <summary>Which rule a refused ClientHello broke. For logs and metrics: <see cref="ClientHelloParser.Alert"/> says what the client is told.</summary>
internal enum ClientHelloError
{
    None,

    /// <summary>An SSLv2-form hello (RFC 5246 §E.2); nobody has needed one since SSL 3.0.</summary>
    Ssl2Form,

    /// <summary>A record of another type before the hello was whole (RFC 8446 §5.1).</summary>
    RecordType,

    /// <summary>A later record whose version is not 3.x.</summary>
    RecordVersion,

    /// <summary>A handshake record without content (RFC 8446 §5.1).</summary>
    RecordEmpty,

    /// <summary>A record above 2^14 bytes.</summary>
    RecordOverflow,

    /// <summary>The first handshake message is not a ClientHello.</summary>
    MessageType,

    /// <summary>A ClientHello too short for its fixed fields.</summary>
    MessageTooShort,

    /// <summary>It cannot end within the bytes allowed for it.</summary>
    MessageTooLarge,

    /// <summary>Its last record goes on after it (RFC 8446 §5.1: a message before a key change ends its record).</summary>
    BytesAfterMessage,

    /// <summary>legacy_version below SSL 3.0.</summary>
    LegacyVersion,

    /// <summary>legacy_session_id above 32 bytes, or beyond the message.</summary>
    SessionId,

    /// <summary>cipher_suites empty, of odd length, or beyond the message.</summary>
    CipherSuites,

    /// <summary>legacy_compression_methods empty or beyond the message.</summary>
    CompressionMethods,

    /// <summary>legacy_compression_methods without "null" (RFC 5246 §7.4.1.2).</summary>
    NoNullCompression,

    /// <summary>The lengths of the extensions do not fill the message exactly.</summary>
    ExtensionLengths,

    /// <summary>Two extensions of one type (RFC 8446 §4.2).</summary>
    DuplicateExtension,

    /// <summary>pre_shared_key is not the last extension (RFC 8446 §4.2.11).</summary>
    PreSharedKeyNotLast,

    /// <summary>server_name is anything but one host_name whose three lengths agree (RFC 6066 §3).</summary>
    ServerNameList,

    /// <summary>The host_name is neither a DNS name nor an IP literal.</summary>
    ServerName,

    /// <summary>The ALPN list is empty, has an empty name, or its lengths disagree (RFC 7301 §3.1).</summary>
    AlpnList,

    /// <summary>supported_versions is empty, odd, or its lengths disagree (RFC 8446 §4.2.1).</summary>
    SupportedVersions,
}
