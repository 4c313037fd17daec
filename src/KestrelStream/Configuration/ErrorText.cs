using System.Globalization;
using System.Text;

namespace KestrelStream.Configuration;

/// <summary>Wording that the errors of reading and of validation share.</summary>
internal static class ErrorText
{
    /// <summary>Enough to recognise a value; a pasted certificate is not repeated in a log line.</summary>
    private const int MaxValueChars = 100;

    /// <summary>More names than a reader of an error would look through.</summary>
    private const int MaxNames = 20;

    /// <summary>A value in quotes, on one line: control characters as \uXXXX.</summary>
    public static string Quote(string value)
    {
        var text = new StringBuilder(value.Length + 2).Append('"');
        foreach (var c in value.AsSpan(0, Math.Min(value.Length, MaxValueChars)))
        {
            if (char.IsControl(c) || c is '\u2028' or '\u2029')
            {
                text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            }
            else
            {
                text.Append(c);
            }
        }

        return text.Append(value.Length > MaxValueChars ? "…\"" : "\"").ToString();
    }

    /// <summary><c>"app9" is not a cluster; valid: app1, app2</c></summary>
    public static string NotOneOf(string value, string noun, IReadOnlyCollection<string> valid)
        => $"{Quote(value)} is not {noun}; valid: {Names(valid)}";

    /// <summary>Names with commas, the first ones of many.</summary>
    public static string Names(IReadOnlyCollection<string> names)
    {
        if (names.Count == 0)
        {
            return "none are there";
        }

        var shown = string.Join(", ", names.Take(MaxNames));
        return names.Count <= MaxNames ? shown : string.Create(CultureInfo.InvariantCulture, $"{shown}, … ({names.Count:N0} in all)");
    }
}
