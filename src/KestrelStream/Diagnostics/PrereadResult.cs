namespace KestrelStream.Diagnostics;

/// <summary>What became of the first bytes of a session, as metrics show it. Names are public surface.</summary>
internal enum PrereadResult
{
    /// <summary>A ClientHello, and a route for it.</summary>
    Hello,

    /// <summary>Something else, and a route for it.</summary>
    NotTls,

    /// <summary>Nothing for a while, and a route for that.</summary>
    Silence,

    /// <summary>The client left without a byte.</summary>
    Empty,

    /// <summary>The client left with less than was needed.</summary>
    ClosedEarly,

    /// <summary>The preread clock ran out.</summary>
    Late,

    TooLarge,
    Malformed,

    /// <summary>The process's preread budget was spent.</summary>
    OverBudget,

    /// <summary>The client broke the rules of the protocol in which it asked for TLS.</summary>
    Violation,

    /// <summary>It was over with them: a cancel request was passed on, or a dialog before TLS came to its end.</summary>
    Ended,

    /// <summary>All bytes were there, and no route took them.</summary>
    NoRoute,
}
