using System.Globalization;

namespace KestrelStream.Configuration;

/// <summary>Times as the config writes them: .NET's constant form, <c>[d.]hh:mm:ss[.fffffff]</c>, or <c>Infinite</c>.</summary>
internal static class Duration
{
    public const string Infinite = "Infinite";

    /// <summary>Below it a clock would round to nothing.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    /// <summary>.NET timers end at 2^32 - 2 ms, 49.7 days. Whoever needs longer means <see cref="Infinite"/>.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(49);

    /// <summary>Reads the form only; which values make sense is each key's own matter.</summary>
    public static bool TryParse(string text, out TimeSpan value)
    {
        if (text.Equals(Infinite, StringComparison.OrdinalIgnoreCase))
        {
            value = Timeout.InfiniteTimeSpan;
            return true;
        }

        // Hours, minutes and seconds must all be there: .NET reads "30" as 30 days and "00:30" as 30 minutes,
        // which is hardly ever what was meant.
        value = default;
        return text.AsSpan().Count(':') == 2 && TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out value);
    }

    public static string Format(TimeSpan value)
    {
        if (value == Timeout.InfiniteTimeSpan)
        {
            return Infinite;
        }

        var text = value.ToString("c", CultureInfo.InvariantCulture);
        return value.Ticks % TimeSpan.TicksPerSecond == 0 ? text : text.TrimEnd('0');
    }
}
