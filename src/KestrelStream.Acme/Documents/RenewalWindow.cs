namespace KestrelStream.Acme.Documents;

/// <summary>From when to when.</summary>
internal sealed record RenewalWindow
{
    public DateTimeOffset Start { get; init; }

    public DateTimeOffset End { get; init; }
}
