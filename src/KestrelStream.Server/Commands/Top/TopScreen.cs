using System.Globalization;

namespace KestrelStream.Server.Commands.Top;

/// <summary>Lays out two readings as lines: the rates are what lies between them. Pure.</summary>
internal static class TopScreen
{
    private const int MaxName = 30;

    private static readonly string[] s_units = ["B", "KB", "MB", "GB", "TB", "PB"];

    /// <param name="name">Where the readings come from.</param>
    /// <param name="before">The reading before.</param>
    /// <param name="now">The latest.</param>
    /// <param name="width">Of a line; longer ones are cut.</param>
    /// <param name="height">Most lines; what does not fit is left out, members first.</param>
    public static IReadOnlyList<string> Lines(string name, TopReading before, TopReading now, int width, int height)
    {
        var seconds = Math.Max(0.001, (now.Time - before.Time).TotalSeconds);
        var earlier = before.Members.ToDictionary(member => member.Key, member => member.Numbers);
        var members = now.Members.Select(member => (Member: member, Rate: Rates(earlier.TryGetValue(member.Key, out var last) ? last : member.Numbers, member.Numbers, seconds))).ToList();
        var all = Rates(Sum(before.Listeners), Sum(now.Listeners), seconds);
        var lines = new List<string>
        {
            string.Create(CultureInfo.InvariantCulture, $"KestrelStream  {name}  {now.Time:HH:mm:ss} UTC"),
            string.Create(CultureInfo.InvariantCulture, $"{now.SessionsTotal} sessions, {all.New:F1} new/s, in {Bytes(all.In)}/s, out {Bytes(all.Out)}/s; {members.Count(pair => pair.Member.Health != "Unhealthy")} of {members.Count} members up"),
            "",
        };
        var talkers = now.Sessions.Where(session => session.In + session.Out > 0).ToList();
        var room = height - lines.Count - 2 - (talkers.Count > 0 ? Math.Min(talkers.Count, height / 3) + 2 : 0);
        var order = members.OrderByDescending(pair => pair.Rate.In + pair.Rate.Out).ThenByDescending(pair => pair.Rate.New).ThenBy(pair => pair.Member.Key, StringComparer.OrdinalIgnoreCase);
        lines.AddRange(Table(
            ["MEMBER", "STATE", "CUR", "NEW/S", "IN/S", "OUT/S", "TOTAL", "ERRORS", "LAST CHECK"],
            order.Take(Math.Max(1, room)).Select(pair => Row(pair.Member, pair.Rate))));
        if (talkers.Count > 0)
        {
            lines.Add("");
            lines.AddRange(Table(
                ["SESSION", "CLIENT", "NAME", "MEMBER", "IN/S", "OUT/S"],
                talkers.Take(Math.Max(1, height / 3)).Select(session => new[] { session.Id, session.Client, Cut(session.Name), Cut(session.Destination), Bytes(session.In), Bytes(session.Out) })));
        }

        return [.. lines.Take(height).Select(line => line.Length <= width ? line : line[..width])];
    }

    private static string[] Row(TopReading.Member member, Rate rate) =>
    [
        Cut(member.Key),
        member.State == "ready" ? member.Health switch { "Healthy" => "up", "Unhealthy" => "DOWN", _ => "unknown" } : member.State,
        Number(member.Numbers.Active), rate.New.ToString("F1", CultureInfo.InvariantCulture), Bytes(rate.In), Bytes(rate.Out), Number(member.Numbers.Total), Number(member.Errors), member.Check,
    ];

    /// <summary>Columns as wide as what is in them, numbers to the right.</summary>
    private static IEnumerable<string> Table(string[] heads, IEnumerable<string[]> rows)
    {
        var all = rows.ToList();
        var isNumber = Enumerable.Range(0, heads.Length).Select(i => heads[i] is "CUR" or "NEW/S" or "IN/S" or "OUT/S" or "TOTAL" or "ERRORS").ToArray();
        var widths = Enumerable.Range(0, heads.Length).Select(i => all.Select(row => row[i].Length).Append(heads[i].Length).Max()).ToArray();
        return all.Prepend(heads).Select(row => string.Join("  ", row.Select((cell, i) => isNumber[i] ? cell.PadLeft(widths[i]) : cell.PadRight(widths[i]))).TrimEnd());
    }

    private static TopReading.Counters Sum(IReadOnlyList<TopReading.Counters> lines)
        => new("", lines.Sum(line => line.Active), lines.Sum(line => line.Total), lines.Sum(line => line.In), lines.Sum(line => line.Out));

    private static Rate Rates(TopReading.Counters before, TopReading.Counters now, double seconds)
        => new(Math.Max(0, now.Total - before.Total) / seconds, Math.Max(0, now.In - before.In) / seconds, Math.Max(0, now.Out - before.Out) / seconds);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Cut(string text) => text.Length <= MaxName ? text : text[..(MaxName - 1)] + "~";

    private static string Bytes(double value)
    {
        var unit = 0;
        for (; value >= 1024 && unit < s_units.Length - 1; unit++)
        {
            value /= 1024;
        }

        return value.ToString(unit == 0 || value >= 100 ? "F0" : "F1", CultureInfo.InvariantCulture) + " " + s_units[unit];
    }

    private readonly record struct Rate(double New, double In, double Out);
}
