namespace KestrelStream.Configuration;

/// <summary>A certificate that is got from, and renewed by, a certificate authority that speaks ACME (RFC 8555), such as Let's Encrypt.</summary>
/// <remarks>Needs <c>AddAcme()</c> in apps that host the library; the server has it.</remarks>
public sealed record AcmeConfig
{
    /// <summary>URL of the authority's directory, <c>https</c>. Required.</summary>
    public string Directory { get; init; } = "";

    /// <summary>Whom the authority may write to about the account; null = nobody.</summary>
    public string? Email { get; init; }

    /// <summary>What the certificate is for: DNS names without wildcards, which neither challenge can prove. At least one.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>How the names are proved. Default <see cref="AcmeChallenge.TlsAlpn01"/>.</summary>
    public AcmeChallenge Challenge { get; init; } = AcmeChallenge.TlsAlpn01;

    /// <summary>Folder of account keys and certificates, made when it is missing. Relative to the config file. Default <c>acme</c>.</summary>
    public string Storage { get; init; } = "acme";

    /// <summary>
    /// What the account says about the authority's terms of service. Default true: to name an authority is to use its service. With false an authority
    /// that has terms gives no certificate.
    /// </summary>
    public bool AgreeToTermsOfService { get; init; } = true;

    /// <summary>What clients get as long as there is no certificate. Default <see cref="AcmeUntilIssued.Refuse"/>.</summary>
    public AcmeUntilIssued UntilIssued { get; init; } = AcmeUntilIssued.Refuse;

    /// <summary>Of the certificate; every one gets a new key. Default <see cref="AcmeKeyType.EcdsaP256"/>.</summary>
    public AcmeKeyType KeyType { get; init; } = AcmeKeyType.EcdsaP256;

    /// <summary>
    /// How long before its end a certificate is renewed. Null (default) = when the authority suggests it (RFC 9773), else after two thirds of its life.
    /// One that is longer than two thirds of the life counts as those.
    /// </summary>
    public TimeSpan? RenewBefore { get; init; }

    /// <summary>PEM file of the roots that the authority's own web server is verified with, read at start and reload; null = the operating system's.</summary>
    public string? TrustedCertificates { get; init; }

    /// <summary>Binds the account to one that the authority knows already; null = it asks for none.</summary>
    public AcmeExternalAccountConfig? ExternalAccount { get; init; }

    /// <summary>By value: a reload that reads the same again changes nothing.</summary>
    public bool Equals(AcmeConfig? other)
        => other is not null
            && (Directory, Email, Challenge, Storage, AgreeToTermsOfService, UntilIssued) == (other.Directory, other.Email, other.Challenge, other.Storage, other.AgreeToTermsOfService, other.UntilIssued)
            && (KeyType, RenewBefore, TrustedCertificates, ExternalAccount) == (other.KeyType, other.RenewBefore, other.TrustedCertificates, other.ExternalAccount)
            && Names.SequenceEqual(other.Names);

    public override int GetHashCode() => HashCode.Combine(Directory, Storage, Names.Count);
}
