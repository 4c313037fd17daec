namespace KestrelStream.Limits;

/// <summary>What is on account of one client: 48 bytes. Owned by a <see cref="ClientStripe"/>.</summary>
internal struct ClientEntry
{
    public ClientKey Key;

    /// <summary>When its bucket of new sessions is full again.</summary>
    public long SessionsFull;

    /// <summary>When its bucket of handshakes is full again.</summary>
    public long HandshakesFull;

    /// <summary>That run; -1 = the entry is free.</summary>
    public int Sessions;

    /// <summary>Behind it in its bucket, or in the list of free ones; -1 = none.</summary>
    public int Next;

    /// <summary>One who is like one who has never come.</summary>
    public readonly bool IsForgettable(long now) => Sessions == 0 && SessionsFull <= now && HandshakesFull <= now;
}
