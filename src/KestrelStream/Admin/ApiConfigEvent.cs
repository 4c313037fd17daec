using KestrelStream.Configuration;
using KestrelStream.Management;

namespace KestrelStream.Admin;

/// <summary>One of <c>/api/config/history</c>.</summary>
/// <param name="Id">A number that rises.</param>
/// <param name="Time">When.</param>
/// <param name="Kind">What it was.</param>
/// <param name="Generation">The one in force afterwards; null = an operator's change, which makes no new one.</param>
/// <param name="Who">Where a change over the API came from.</param>
/// <param name="What">What was changed over the API.</param>
/// <param name="From">As it was.</param>
/// <param name="To">As it is since.</param>
/// <param name="Changes">Of a reload: what is otherwise than before, at most 100.</param>
/// <param name="ChangesTotal">How many there are.</param>
/// <param name="Errors">Why a reload was rejected; at most 20.</param>
internal sealed record ApiConfigEvent(
    string Id,
    DateTimeOffset Time,
    ConfigEventKind Kind,
    long? Generation,
    string? Who,
    string? What,
    string? From,
    string? To,
    IReadOnlyList<ApiConfigChange> Changes,
    int ChangesTotal,
    IReadOnlyList<ConfigError> Errors);
