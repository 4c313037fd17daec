namespace KestrelStream.Configuration;

/// <summary>How a client is refused that an access rule does not let in.</summary>
public enum RefusalAction
{
    /// <summary>So that it knows: with a fatal alert where its ClientHello was read, else with a reset.</summary>
    Refuse,

    /// <summary>Without a word: it finds out by its own clock. Where the system does not allow that, with a reset that the first router drops.</summary>
    Drop,
}
