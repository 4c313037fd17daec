namespace KestrelStream.Acme.Documents;

/// <summary>An order (RFC 8555 §7.1.3).</summary>
internal sealed record OrderDocument
{
    /// <summary>pending → ready → processing → valid; or invalid.</summary>
    public string? Status { get; init; }

    public IReadOnlyList<string?>? Authorizations { get; init; }

    public string? Finalize { get; init; }

    public string? Certificate { get; init; }

    public ProblemDocument? Error { get; init; }
}
