namespace KestrelStream.Preread;

/// <summary>How reading the first bytes of a connection ended.</summary>
internal enum PrereadOutcome
{
    Hello,
    NotTls,

    /// <summary>Nothing came within ServerFirstAfter, and the listener has a route for that.</summary>
    Silence,

    Malformed,
    TooLarge,

    /// <summary>The process's preread budget is spent.</summary>
    OverBudget,

    /// <summary>The preread clock ran out.</summary>
    Late,

    /// <summary>The client ended or reset the connection before a route was known.</summary>
    Gone,
}
