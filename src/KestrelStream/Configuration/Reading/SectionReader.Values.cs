using System.Diagnostics.CodeAnalysis;

namespace KestrelStream.Configuration.Reading;

/// <content>Single values and lists of them.</content>
internal sealed partial class SectionReader
{
    private delegate bool TryParse<T>(string text, out T value);

    public string? Text(string key)
        => TryGetValue(key, "a string", out var text) ? text : null;

    public int? Number(string key)
    {
        const string Valid = "a whole number, at most 2147483647";
        if (!TryGetValue(key, Valid, out var text))
        {
            return null;
        }

        if (ValueForms.TryParseNumber(text, out var value))
        {
            return value;
        }

        AddError(key, $"{ErrorText.Quote(text)} is not a number; valid: {Valid}");
        return null;
    }

    public double? Fraction(string key)
    {
        const string Valid = "a number, as 1.25";
        if (!TryGetValue(key, Valid, out var text))
        {
            return null;
        }

        if (ValueForms.TryParseFraction(text, out var value))
        {
            return value;
        }

        AddError(key, $"{ErrorText.Quote(text)} is not a number; valid: {Valid}");
        return null;
    }

    public bool? Flag(string key)
    {
        if (!TryGetValue(key, "true, false", out var text))
        {
            return null;
        }

        if (bool.TryParse(text, out var value))
        {
            return value;
        }

        AddError(key, $"{ErrorText.Quote(text)} is neither true nor false; valid: true, false");
        return null;
    }

    public TimeSpan? Time(string key)
    {
        if (!TryGetValue(key, ValueForms.ValidTime, out var text))
        {
            return null;
        }

        if (Duration.TryParse(text, out var value))
        {
            return value;
        }

        AddError(key, $"{ErrorText.Quote(text)} is not a time; valid: {ValueForms.SuggestTime(text)}");
        return null;
    }

    public T? Choice<T>(string key)
        where T : struct, Enum
    {
        if (!TryGetValue(key, Names<T>.Valid, out var text))
        {
            return null;
        }

        if (ValueForms.TryParseName<T>(text, out var value))
        {
            return value;
        }

        AddError(key, ErrorText.NotOneOf(text, "known", Names<T>.All));
        return null;
    }

    /// <summary>Null when the key is absent or null; an empty list is one.</summary>
    public IReadOnlyList<string>? TextList(string key)
        => List(key, "a string", static (string text, out string value) =>
        {
            value = text;
            return true;
        });

    /// <summary>Null when the key is absent or null; an empty list is one.</summary>
    public IReadOnlyList<T>? ChoiceList<T>(string key)
        where T : struct, Enum
        => List<T>(key, Names<T>.Valid, ValueForms.TryParseName);

    private T[]? List<T>(string key, string validItem, TryParse<T> tryParse)
    {
        if (Find(key) is not { } node)
        {
            return null;
        }

        if (!string.IsNullOrEmpty(node.Value))
        {
            AddError(key, $"{ErrorText.Quote(node.Value)} is a single value; valid: a list, as [{ErrorText.Quote(node.Value)}]");
            return null;
        }

        var values = node.Children.IsEmpty ? [] : new T[node.Children.Length];
        var count = 0;
        foreach (var item in node.Children)
        {
            if (!int.TryParse(item.Key, out _))
            {
                AddError(key, $"is a map (with the key {ErrorText.Quote(item.Key)}); valid: a list, as [\"a\", \"b\"]");
                return null;
            }

            if (item.Value is not { } text)
            {
                AddError($"{key}:{item.Key}", $"is null or a map; valid: {validItem}");
            }
            else if (tryParse(text, out var value))
            {
                values[count++] = value;
            }
            else
            {
                AddError($"{key}:{item.Key}", $"{ErrorText.Quote(text)} is not known; valid: {validItem}");
            }
        }

        Array.Resize(ref values, count);
        return count > 0 || node.Value is not null ? values : null;
    }

    private bool TryGetValue(string key, string valid, [NotNullWhen(true)] out string? value)
    {
        value = null;
        if (Find(key) is not { } node)
        {
            return false;
        }

        value = node.Value;
        if (value is null && !node.Children.IsEmpty)
        {
            AddError(key, $"is a map or list; valid: {valid}");
        }

        return value is not null;
    }

    /// <summary>Made once: <see cref="Enum.GetNames{T}"/> copies.</summary>
    private static class Names<T>
        where T : struct, Enum
    {
        public static readonly string[] All = Enum.GetNames<T>();

        public static readonly string Valid = ErrorText.Names(All);
    }
}
