namespace KestrelStream.Tls.Tickets;

/// <summary>Secrets that the keys of session tickets are derived from: the first for new tickets, all of them for those that clients bring. Immutable; thread-safe.</summary>
internal sealed class TicketKeySet(IReadOnlyList<byte[]> secrets)
{
    /// <summary>More are a mistake: every ticket that is not ours is compared with all of them.</summary>
    public const int Most = 16;

    public IReadOnlyList<byte[]> Secrets => secrets;
}
