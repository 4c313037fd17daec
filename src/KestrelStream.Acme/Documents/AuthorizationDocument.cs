namespace KestrelStream.Acme.Documents;

/// <summary>Whether we have shown that a name is ours (RFC 8555 §7.1.4).</summary>
internal sealed record AuthorizationDocument
{
    /// <summary>pending → valid; or invalid, expired, deactivated, revoked.</summary>
    public string? Status { get; init; }

    public IdentifierDocument? Identifier { get; init; }

    public IReadOnlyList<ChallengeDocument?>? Challenges { get; init; }
}
