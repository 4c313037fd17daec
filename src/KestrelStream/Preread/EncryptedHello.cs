namespace KestrelStream.Preread;

/// <summary>What a ClientHello has of encrypted_client_hello (RFC 9849 §5). It changes nothing here: the name in the clear routes.</summary>
internal enum EncryptedHello : byte
{
    None,

    /// <summary>An outer hello: another one is encrypted in it, or random bytes that look like one (GREASE, §6.2); only who has the key can tell.</summary>
    Outer,

    /// <summary>What was encrypted, as a front that has the key passes it on (split mode, §3.1).</summary>
    Inner,
}
