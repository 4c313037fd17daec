namespace KestrelStream.Acme.Storage;

/// <summary>An account at one authority, as it is kept.</summary>
internal sealed record StoredAccount
{
    /// <summary>URL of the authority's directory.</summary>
    public string? Directory { get; init; }

    /// <summary>URL of the account; null = it is still to be made, or not known to have been.</summary>
    public string? Url { get; init; }

    /// <summary>Whom the authority was told to write to.</summary>
    public string? Email { get; init; }

    /// <summary>PKCS#8 as PEM.</summary>
    public string? Key { get; init; }
}
