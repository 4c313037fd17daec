namespace KestrelStream.Acme.Documents;

/// <summary>One of the ways to prove a name (RFC 8555 §7.1.5).</summary>
internal sealed record ChallengeDocument
{
    public string? Type { get; init; }

    public string? Url { get; init; }

    public string? Status { get; init; }

    public string? Token { get; init; }

    public ProblemDocument? Error { get; init; }
}
