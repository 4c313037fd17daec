using System.Collections.Immutable;

namespace KestrelStream.Discovery;

/// <summary>What one lookup brought.</summary>
/// <param name="Result">Whether there is an answer.</param>
/// <param name="Addresses">In order, each once; empty with <see cref="LookupResult.Ok"/> = the domain says that it has no such service.</param>
/// <param name="Ttl">How long it is good for; null = the resolver does not say.</param>
/// <param name="Failure">Why there is no answer.</param>
internal readonly record struct NameAnswer(LookupResult Result, ImmutableArray<DiscoveredAddress> Addresses, TimeSpan? Ttl, string? Failure)
{
    public static NameAnswer Of(ImmutableArray<DiscoveredAddress> addresses, TimeSpan? ttl) => new(LookupResult.Ok, addresses, ttl, null);

    public static NameAnswer Empty(string why) => new(LookupResult.Empty, [], null, why);

    public static NameAnswer Failed(string why) => new(LookupResult.Failed, [], null, why);
}
