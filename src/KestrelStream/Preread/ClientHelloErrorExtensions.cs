using KestrelStream.Tls;

namespace KestrelStream.Preread;

/// <summary>What a client is told of the rule it broke.</summary>
internal static class ClientHelloErrorExtensions
{
    /// <summary>The fatal alert (RFC 8446 §6.2) that an error calls for; None without an error.</summary>
    public static TlsAlert ToAlert(this ClientHelloError error) => error switch
    {
        ClientHelloError.None => TlsAlert.None,
        ClientHelloError.RecordType or ClientHelloError.RecordEmpty or ClientHelloError.MessageType or ClientHelloError.BytesAfterMessage
            => TlsAlert.UnexpectedMessage,
        ClientHelloError.RecordOverflow => TlsAlert.RecordOverflow,
        ClientHelloError.Ssl2Form or ClientHelloError.RecordVersion or ClientHelloError.LegacyVersion => TlsAlert.ProtocolVersion,
        ClientHelloError.NoNullCompression or ClientHelloError.DuplicateExtension or ClientHelloError.PreSharedKeyNotLast
            => TlsAlert.IllegalParameter,
        // There is no alert made for it; OpenSSL and BoringSSL send this one.
        ClientHelloError.MessageTooLarge => TlsAlert.IllegalParameter,
        // As OpenSSL and BoringSSL answer a name with a NUL or above 255 bytes.
        ClientHelloError.ServerName => TlsAlert.UnrecognizedName,
        _ => TlsAlert.DecodeError,
    };
}
