using KestrelStream.Configuration;

namespace KestrelStream.Admin;

/// <summary>Answer of <c>/api/config</c>.</summary>
/// <param name="Generation">1 at start, one more with every applied reload.</param>
/// <param name="Applied">Since when it is in force.</param>
/// <param name="Config">All of it, defaults included. Secrets show as <c>***</c>.</param>
internal sealed record ApiConfig(long Generation, DateTimeOffset Applied, StreamProxyConfig Config);
