namespace KestrelStream.Health.Checks.Probes;

/// <summary>How far the head of an answer can be read.</summary>
internal enum HttpAnswerState : byte
{
    /// <summary>More bytes are needed.</summary>
    Incomplete,

    /// <summary>The head is there to its end.</summary>
    Complete,

    /// <summary>It is no HTTP/1 answer.</summary>
    Malformed,
}
