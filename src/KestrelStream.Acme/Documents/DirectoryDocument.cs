namespace KestrelStream.Acme.Documents;

/// <summary>Where an authority's services are (RFC 8555 §7.1.1).</summary>
internal sealed record DirectoryDocument
{
    public string? NewNonce { get; init; }

    public string? NewAccount { get; init; }

    public string? NewOrder { get; init; }

    /// <summary>RFC 9773; null = the authority suggests no times for renewals.</summary>
    public string? RenewalInfo { get; init; }

    public DirectoryMeta? Meta { get; init; }
}
