namespace KestrelStream.Tls;

/// <summary>TLS alert descriptions (RFC 8446 §6, RFC 6066 §9, RFC 7301 §3.2) that the proxy sends itself.</summary>
internal enum TlsAlert : byte
{
    None = 0,
    UnexpectedMessage = 10,
    RecordOverflow = 22,
    HandshakeFailure = 40,
    IllegalParameter = 47,
    AccessDenied = 49,
    DecodeError = 50,
    ProtocolVersion = 70,
    InternalError = 80,
    UnrecognizedName = 112,
}
