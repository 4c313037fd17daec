using System.Globalization;

namespace KestrelStream.Configuration.Reading;

/// <summary>Forms of single values: whole numbers, names of an enumeration, and what to suggest for a time.</summary>
internal static class ValueForms
{
    public const string ValidTime = "hours:minutes:seconds, as \"00:00:30\"";

    public static bool TryParseNumber(string text, out int value)
        => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);

    /// <summary>Finite, with a point before the fraction, as JSON has it.</summary>
    public static bool TryParseFraction(string text, out double value)
        => double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out value)
            && double.IsFinite(value);

    /// <summary>By name, ignoring case. <see cref="Enum.TryParse{T}(string, bool, out T)"/> would take numbers and "A, B" too.</summary>
    public static bool TryParseName<T>(string text, out T value)
        where T : struct, Enum
    {
        value = default;
        foreach (var name in Enum.GetNames<T>())
        {
            if (name.Equals(text, StringComparison.OrdinalIgnoreCase))
            {
                value = Enum.Parse<T>(name);
                return true;
            }
        }

        return false;
    }

    /// <summary>A bare number is most likely meant as seconds: shows how those are written.</summary>
    public static string SuggestTime(string text)
        => TryParseNumber(text, out var seconds) && seconds > 0
            ? $"{ValidTime}; {seconds} seconds are \"{Duration.Format(TimeSpan.FromSeconds(seconds))}\""
            : ValidTime;
}
