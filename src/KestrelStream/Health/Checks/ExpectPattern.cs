using System.Text;
using System.Text.RegularExpressions;

namespace KestrelStream.Health.Checks;

/// <summary>One expectation of a <c>SendExpect</c> check, compiled. Immutable; thread-safe.</summary>
internal sealed class ExpectPattern
{
    private readonly byte[] _literal;
    private readonly Regex? _regex;

    private ExpectPattern(string text, bool isNegated, byte[] literal, Regex? regex)
    {
        Text = text;
        IsNegated = isNegated;
        _literal = literal;
        _regex = regex;
    }

    /// <summary>As configured.</summary>
    public string Text { get; }

    /// <summary>It must not be found.</summary>
    public bool IsNegated { get; }

    /// <summary>Compiles <c>text</c>, <c>~regex</c>, <c>!text</c> or <c>!~regex</c>; false with what is wrong.</summary>
    public static bool TryCreate(string text, out ExpectPattern? pattern, out string? error)
    {
        pattern = null;
        error = null;
        var isNegated = text.StartsWith('!');
        var body = isNegated ? text[1..] : text;
        if (body.StartsWith('~'))
        {
            try
            {
                // NonBacktracking: time linear in the answer, which comes from the network.
                pattern = new ExpectPattern(text, isNegated, [], new Regex(body[1..], RegexOptions.NonBacktracking | RegexOptions.CultureInvariant));
                return body.Length > 1;
            }
            catch (Exception e) when (e is ArgumentException or NotSupportedException)
            {
                error = e.Message.ReplaceLineEndings(" ");
                return false;
            }
        }

        if (!EscapedText.TryParse(body, out var literal, out error))
        {
            return false;
        }

        pattern = new ExpectPattern(text, isNegated, literal, regex: null);
        return literal.Length > 0;
    }

    /// <summary>Where what was found ends; -1 = it is not there.</summary>
    public int FindEnd(ReadOnlySpan<byte> received)
    {
        if (_regex is null)
        {
            var start = received.IndexOf(_literal);
            return start < 0 ? -1 : start + _literal.Length;
        }

        // A character a byte, so that positions are the same.
        var match = _regex.Match(Encoding.Latin1.GetString(received));
        return match.Success ? match.Index + match.Length : -1;
    }
}
