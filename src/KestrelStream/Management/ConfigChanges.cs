using System.Globalization;
using System.Text.Json;
using KestrelStream.Admin;
using KestrelStream.Configuration;

namespace KestrelStream.Management;

/// <summary>
/// What one configuration has otherwise than the one before. Found on the thread pool, since large ones take a while and nobody may ever ask; holds both
/// until then, and the differences alone afterwards. Thread-safe.
/// </summary>
internal sealed class ConfigChanges
{
    /// <summary>More than a person reads of a history.</summary>
    private const int MaxShown = 100;

    /// <summary>Of one value.</summary>
    private const int MaxCharacters = 2000;

    private readonly Task<(IReadOnlyList<ConfigDifference> Shown, int Total)> _found;

    public ConfigChanges(StreamProxyConfig before, StreamProxyConfig after) => _found = Task.Run(() => Find(before, after));

    /// <summary>The first ones by path; what runs since is <see cref="ConfigDifference.Running"/>, what was before <see cref="ConfigDifference.File"/>.</summary>
    public async Task<(IReadOnlyList<ConfigDifference> Shown, int Total)> GetAsync() => await _found;

    private static (IReadOnlyList<ConfigDifference> Shown, int Total) Find(StreamProxyConfig before, StreamProxyConfig after)
    {
        var all = ConfigComparison.Compare(after, before, "StreamProxy", DestinationOverrides.None);
        return ([.. all.Take(MaxShown).Select(one => one with { Running = Shorten(one.Running), File = Shorten(one.File) })], all.Count);
    }

    /// <summary>A history does not repeat whole pools.</summary>
    private static JsonElement? Shorten(JsonElement? value)
        => value is { } element && element.GetRawText() is { Length: > MaxCharacters } text
            ? JsonSerializer.SerializeToElement(string.Create(CultureInfo.InvariantCulture, $"({text.Length} characters of JSON)"), AdminJson.Default.String)
            : value;
}
