namespace KestrelStream.Configuration;

/// <summary>An account at the authority outside of ACME (RFC 8555 §7.3.4). Both come from the authority.</summary>
public sealed record AcmeExternalAccountConfig
{
    /// <summary>Names the account. Required.</summary>
    public string KeyId { get; init; } = "";

    /// <summary>Secret, as base64url. Required.</summary>
    public string HmacKey { get; init; } = "";
}
