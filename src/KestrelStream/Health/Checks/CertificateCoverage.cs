using System.Security.Cryptography.X509Certificates;

namespace KestrelStream.Health.Checks;

/// <summary>
/// Whether a destination has certificates for the names that passthrough routes send to it: clients see its certificate, not ours. Written by
/// the checks of one destination, one at a time; read by any thread.
/// </summary>
/// <remarks>
/// A server may have a certificate for each name. So names that the certificate of the check itself does not have are asked for, one
/// a check, in turn.
/// </remarks>
internal sealed class CertificateCoverage
{
    /// <summary>More names than this are not looked after.</summary>
    private const int MaxNames = 1000;

    private readonly string[] _names;

    /// <summary>By the certificate that the check saw.</summary>
    private readonly bool[] _isShown;

    /// <summary>By the certificate that came when the name was asked for; null = it has not been.</summary>
    private readonly bool?[] _isAnswered;

    private volatile string[] _uncovered = [];
    private string? _shown;
    private int _next;

    private CertificateCoverage(string[] names)
    {
        _names = names;
        _isShown = new bool[names.Length];
        _isAnswered = new bool?[names.Length];
    }

    /// <summary>Names that clients are sent to it with, and that it has no certificate for.</summary>
    public IReadOnlyList<string> Uncovered => _uncovered;

    /// <param name="patterns">Names of routes. Regular expressions and wildcards at the end stand for no name that could be asked for.</param>
    /// <returns>Null when there is no name.</returns>
    public static CertificateCoverage? Of(IEnumerable<string> patterns)
    {
        string[] names = [.. patterns
            .Where(pattern => !pattern.StartsWith('~') && !pattern.EndsWith('*') && pattern.Contains('.'))
            .Select(pattern => pattern.StartsWith('.') ? pattern[1..] : pattern)
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .Take(MaxNames)];
        return names.Length == 0 ? null : new CertificateCoverage(names);
    }

    public bool IsSame(CertificateCoverage? other) => other is not null && _names.AsSpan().SequenceEqual(other._names);

    /// <summary>The certificate that the check itself was shown.</summary>
    public void NoteShown(X509Certificate2 certificate)
    {
        if (certificate.Thumbprint == _shown)
        {
            return;
        }

        _shown = certificate.Thumbprint;
        for (var i = 0; i < _names.Length; i++)
        {
            _isShown[i] = certificate.MatchesHostname(HostOf(_names[i]));
        }

        Publish();
    }

    /// <summary>A name to ask for; null = the certificate that was shown has them all.</summary>
    public string? NextToAsk()
    {
        for (var i = 0; i < _names.Length; i++)
        {
            var candidate = (_next + i) % _names.Length;
            if (!_isShown[candidate])
            {
                _next = candidate + 1;
                return _names[candidate];
            }
        }

        return null;
    }

    /// <param name="name">As <see cref="NextToAsk"/> gave it.</param>
    /// <param name="certificate">What came; null = the server refused the name.</param>
    public void NoteAnswer(string name, X509Certificate2? certificate)
    {
        _isAnswered[Array.IndexOf(_names, name)] = certificate?.MatchesHostname(HostOf(name)) ?? false;
        Publish();
    }

    /// <summary>The server name to send for a name: a wildcard is asked for by one of those that it stands for.</summary>
    public static string HostOf(string name) => name.StartsWith("*.", StringComparison.Ordinal) ? $"www{name[1..]}" : name;

    private void Publish() => _uncovered = [.. _names.Where((_, i) => !_isShown[i] && _isAnswered[i] == false)];
}
