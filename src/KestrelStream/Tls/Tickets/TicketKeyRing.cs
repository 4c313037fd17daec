namespace KestrelStream.Tls.Tickets;

/// <summary>
/// Secrets over time, for all policies that ask for the same: each makes keys of its own from them. Changed by <see cref="TicketKeyStore"/> alone; read by
/// handshakes on any thread.
/// </summary>
internal abstract class TicketKeyRing(TicketKeySet first)
{
    private volatile TicketKeySet _current = first;

    public TicketKeySet Current
    {
        get => _current;
        set => _current = value;
    }
}
