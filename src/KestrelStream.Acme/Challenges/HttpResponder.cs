using System.Collections.Concurrent;

namespace KestrelStream.Acme.Challenges;

/// <summary>http-01: what <see cref="HttpChallengeServer"/> answers. Thread-safe.</summary>
internal sealed class HttpResponder : IChallengeResponder
{
    private readonly ConcurrentDictionary<string, string> _answers = new(StringComparer.Ordinal);

    public string Type => "http-01";

    public void Set(string name, string token, string authorization) => _answers[token] = authorization;

    public void Remove(string name, string token) => _answers.TryRemove(token, out _);

    /// <summary>Null = no such challenge is pending.</summary>
    public string? Find(string token) => _answers.GetValueOrDefault(token);
}
