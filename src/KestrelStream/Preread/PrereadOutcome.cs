namespace KestrelStream.Preread;

/// <summary>How reading the first bytes of a connection ended.</summary>
internal enum PrereadOutcome
{
    Hello,
    NotTls,

    /// <summary>The client asks for TLS, or is one of those that wait to be greeted first: <see cref="Routing.RouteTable"/> says in which protocol.</summary>
    Upgrade,

    /// <summary>A PostgreSQL CancelRequest, whole.</summary>
    Cancel,

    /// <summary>The client broke the rules of the protocol in which it asked for TLS.</summary>
    Violation,

    /// <summary>The session is over and has its end reason.</summary>
    Ended,

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
