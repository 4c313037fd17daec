using System.Collections.Immutable;

namespace KestrelStream.Discovery;

/// <summary>What is known of a name after a lookup. Immutable.</summary>
/// <param name="Sequence">Grows with every lookup: of two states the one with the higher number is the newer one.</param>
/// <param name="Result">Of that lookup.</param>
/// <param name="Addresses">Of the last good answer, be it this one or an older; the same array as long as nothing has changed.</param>
/// <param name="ResolvedAt">When that came; null = never so far.</param>
/// <param name="Ttl">What it said; null = nothing.</param>
/// <param name="Failure">Why this lookup brought no answer; null = it did.</param>
internal sealed record NameState(
    long Sequence, LookupResult Result, ImmutableArray<DiscoveredAddress> Addresses, DateTimeOffset? ResolvedAt, TimeSpan? Ttl, string? Failure);
