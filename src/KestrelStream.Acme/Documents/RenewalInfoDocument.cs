namespace KestrelStream.Acme.Documents;

/// <summary>When an authority would like a certificate to be renewed (RFC 9773 §4.2).</summary>
internal sealed record RenewalInfoDocument
{
    public RenewalWindow? SuggestedWindow { get; init; }
}
