using System.Globalization;

namespace KestrelStream.Health.Checks;

/// <summary>Status codes that are good: <c>200-399</c>, <c>200,204,300-399</c>. Immutable.</summary>
internal sealed class StatusRanges
{
    private const int Lowest = 100;
    private const int Highest = 599;

    private readonly (int From, int To)[] _ranges;

    private StatusRanges((int From, int To)[] ranges) => _ranges = ranges;

    public bool Contains(int status) => Array.Exists(_ranges, range => status >= range.From && status <= range.To);

    public static bool TryParse(string text, out StatusRanges? ranges)
    {
        ranges = null;
        var result = new List<(int, int)>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var ends = part.Split('-', 2, StringSplitOptions.TrimEntries);
            if (!TryParseCode(ends[0], out var from) || !TryParseCode(ends[^1], out var to) || from > to)
            {
                return false;
            }

            result.Add((from, to));
        }

        ranges = new StatusRanges([.. result]);
        return true;
    }

    private static bool TryParseCode(string text, out int code)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out code) && code is >= Lowest and <= Highest;
}
