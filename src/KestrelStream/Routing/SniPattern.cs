using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using KestrelStream.Configuration;

namespace KestrelStream.Routing;

/// <summary>
/// A server name as <c>Match:Sni</c> writes it, with the meaning of nginx's <c>hostnames</c>. Lower-cased, without a trailing dot.
/// Immutable.
/// </summary>
internal sealed class SniPattern
{
    public const string ValidForms = "a.example.com, *.example.com, .example.com, mail.*, ~regex";

    /// <summary>RFC 1035 §2.3.4, less the length byte of the root: the hello parser lets nothing longer through.</summary>
    public const int MaxNameLength = 253;

    private const int MaxLabelLength = 63;

    private static readonly SearchValues<char> LabelChars = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_");

    private SniPattern(SniPatternKind kind, string key, Regex? regex = null)
    {
        Kind = kind;
        Key = key;
        Regex = regex;
    }

    public SniPatternKind Kind { get; }

    /// <summary>The pattern without its dots and stars at either end: <c>example.com</c> of <c>*.example.com</c>, <c>mail</c> of <c>mail.*</c>; the expression of a regex.</summary>
    public string Key { get; }

    /// <summary>Set when <see cref="Kind"/> is <see cref="SniPatternKind.Regex"/>.</summary>
    public Regex? Regex { get; }

    /// <summary>The patterns that this one stands for, in one writing: patterns with a form in common claim the same names.</summary>
    public IReadOnlyList<string> Forms => Kind switch
    {
        SniPatternKind.Exact => [Key],
        SniPatternKind.Suffix => ["*." + Key],
        SniPatternKind.ExactAndSuffix => [Key, "*." + Key],
        SniPatternKind.Prefix => [Key + ".*"],
        _ => ["~" + Key],
    };

    /// <summary>Parses; when it cannot, <paramref name="error"/> is the reason.</summary>
    public static bool TryParse(string text, out SniPattern? pattern, out string? error)
    {
        pattern = null;
        if (text.StartsWith('~'))
        {
            return TryParseRegex(text[1..], out pattern, out error);
        }

        // Before anything else: one trailing dot is only another way to write a name, RFC 1034 §3.1.
        var name = text.ToLowerInvariant();
        name = name.EndsWith('.') ? name[..^1] : name;
        if (name == "*")
        {
            error = "to take every name, and clients without one, leave Sni out";
            return false;
        }

        var (kind, key) = name switch
        {
            _ when name.StartsWith("*.", StringComparison.Ordinal) => (SniPatternKind.Suffix, name[2..]),
            _ when name.StartsWith('.') => (SniPatternKind.ExactAndSuffix, name[1..]),
            _ when name.EndsWith(".*", StringComparison.Ordinal) => (SniPatternKind.Prefix, name[..^2]),
            _ => (SniPatternKind.Exact, name),
        };
        error = ReasonAgainst(key, kind);
        if (error is not null)
        {
            return false;
        }

        pattern = new SniPattern(kind, key);
        return true;
    }

    private static bool TryParseRegex(string expression, out SniPattern? pattern, out string? error)
    {
        pattern = null;
        error = null;
        if (expression.Length == 0)
        {
            error = "the expression after ~ is empty";
            return false;
        }

        if (expression.StartsWith('*'))
        {
            error = "~* is not needed: case is ignored anyway, write one ~";
            return false;
        }

        try
        {
            // NonBacktracking: time linear in the name, whatever the expression; the name comes from the network.
            // IgnoreCase: names arrive lower-cased, so an upper-case letter in an expression could never match.
            var regex = new Regex(expression, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.IgnoreCase);
            pattern = new SniPattern(SniPatternKind.Regex, expression, regex);
            return true;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            error = e.Message.TrimEnd('.');
            return false;
        }
    }

    /// <summary>Whatever the hello parser would never hand on as a name can never match, so it is refused here.</summary>
    private static string? ReasonAgainst(string key, SniPatternKind kind)
    {
        if (key.Length == 0)
        {
            return "it is empty";
        }

        if (key.Contains('*'))
        {
            return "a * stands only for whole labels, once, at the beginning (*.example.com) or at the end (mail.*)";
        }

        if (!Ascii.IsValid(key))
        {
            return ReasonAgainstUnicode(key);
        }

        foreach (var range in key.AsSpan().Split('.'))
        {
            var label = key.AsSpan()[range];
            if (label.Length == 0)
            {
                return "two dots have no label between them";
            }

            if (label.Length > MaxLabelLength)
            {
                return $"a label is longer than {MaxLabelLength} characters (RFC 1035)";
            }

            var bad = label.IndexOfAnyExcept(LabelChars);
            if (bad >= 0)
            {
                return $"{ErrorText.Quote(label[bad].ToString())} cannot be part of a name";
            }
        }

        // A star or leading dot stands for one label more, of one character at least.
        var shortest = kind is SniPatternKind.Suffix or SniPatternKind.Prefix ? key.Length + 2 : key.Length;
        if (shortest > MaxNameLength)
        {
            return $"it is longer than {MaxNameLength} characters (RFC 1035)";
        }

        return kind is SniPatternKind.Exact && key.AsSpan().Count('.') == 3 && IPAddress.TryParse(key, out _)
            ? "an IP address is never sent as a server name (RFC 6066 §3)"
            : null;
    }

    private static string ReasonAgainstUnicode(string key)
    {
        try
        {
            return $"names are sent in punycode: write {ErrorText.Quote(new IdnMapping().GetAscii(key))} for {ErrorText.Quote(key)}";
        }
        catch (ArgumentException)
        {
            return "names are sent in punycode (xn--…), and this one has none";
        }
    }
}
