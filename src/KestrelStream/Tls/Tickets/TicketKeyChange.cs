namespace KestrelStream.Tls.Tickets;

/// <summary>Where the routes of a config that is being applied take the keys of their tickets from. <see cref="TicketKeyStore.Commit"/> puts it in force; to drop it undoes nothing.</summary>
internal sealed class TicketKeyChange
{
    /// <summary>By what routes ask for.</summary>
    public Dictionary<object, TicketKeyRing> Rings { get; } = [];

    /// <summary>By route; one that issues no tickets is missing.</summary>
    public Dictionary<string, TicketKeyRing> Routes { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Files that everybody may read.</summary>
    public List<string> OpenFiles { get; } = [];
}
