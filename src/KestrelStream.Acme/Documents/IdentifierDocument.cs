namespace KestrelStream.Acme.Documents;

/// <summary>A name that is to be proved.</summary>
internal sealed record IdentifierDocument
{
    public string? Type { get; init; }

    public string? Value { get; init; }
}
