using KestrelStream.Configuration;

namespace KestrelStream.Admin;

/// <summary>Answer of <c>/api/config</c>.</summary>
/// <param name="Generation">1 at start, one more with every applied reload.</param>
/// <param name="Applied">Since when it is in force.</param>
/// <param name="Config">All of it, defaults included. Secrets show as <c>***</c>.</param>
/// <param name="Changes">What it has otherwise than the one before, at most 100; empty = nothing, or there was none.</param>
/// <param name="ChangesTotal">How many there are.</param>
/// <param name="Sessions">Generations that sessions run under.</param>
internal sealed record ApiConfig(
    long Generation, DateTimeOffset Applied, StreamProxyConfig Config, IReadOnlyList<ApiConfigChange> Changes, int ChangesTotal, IReadOnlyList<ApiGeneration> Sessions);
