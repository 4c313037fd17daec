namespace KestrelStream.Discovery;

/// <summary>What a message turned out to be.</summary>
internal enum DnsVerdict
{
    /// <summary>The answer to the question.</summary>
    Answer,

    /// <summary>Not an answer to this query: another id, another question, a query itself. Nobody who saw the query has sent it.</summary>
    Unrelated,

    /// <summary>The bytes do not nest as RFC 1035 says.</summary>
    Malformed,
}
