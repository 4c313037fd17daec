namespace KestrelStream.Acme.Documents;

/// <summary>What an authority says about itself.</summary>
internal sealed record DirectoryMeta
{
    public string? TermsOfService { get; init; }

    public bool ExternalAccountRequired { get; init; }
}
