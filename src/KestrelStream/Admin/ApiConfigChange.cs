using System.Text.Json;
using KestrelStream.Management;

namespace KestrelStream.Admin;

/// <summary>One key that a configuration has otherwise than the one before.</summary>
/// <param name="Path">Of the key.</param>
/// <param name="Before">Its value then; null = none.</param>
/// <param name="After">Its value since; null = none.</param>
internal sealed record ApiConfigChange(string Path, JsonElement? Before, JsonElement? After)
{
    public static async Task<(IReadOnlyList<ApiConfigChange> Shown, int Total)> OfAsync(ConfigChanges? changes)
    {
        if (changes is null)
        {
            return ([], 0);
        }

        var (shown, total) = await changes.GetAsync();
        return ([.. shown.Select(change => new ApiConfigChange(change.Path, change.File, change.Running))], total);
    }
}
