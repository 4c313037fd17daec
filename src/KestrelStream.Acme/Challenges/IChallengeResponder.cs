namespace KestrelStream.Acme.Challenges;

/// <summary>Answers an authority's questions of one kind, from the moment one is set until it is removed. Thread-safe.</summary>
internal interface IChallengeResponder
{
    /// <summary>As ACME calls the kind.</summary>
    string Type { get; }

    /// <param name="name">That is to be proved; lower case.</param>
    /// <param name="token">Of the challenge.</param>
    /// <param name="authorization">RFC 8555 §8.1.</param>
    void Set(string name, string token, string authorization);

    void Remove(string name, string token);
}
