namespace KestrelStream.Preread;

/// <summary>What a parser says of the bytes so far.</summary>
internal enum PrereadStatus
{
    /// <summary>Right so far; more bytes are needed.</summary>
    NeedMore,

    /// <summary>Not TLS, whatever else: decided on the first byte, or on one of the next four where the first could begin TLS (0x16) or an SSLv2-form hello (top bit set).</summary>
    NotTls,

    /// <summary>A whole, well-formed hello.</summary>
    Hello,

    /// <summary>TLS, and broken: never to be routed.</summary>
    Malformed,

    /// <summary>TLS, and longer than allowed: never to be routed.</summary>
    TooLarge,
}
