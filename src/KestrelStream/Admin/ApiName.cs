using KestrelStream.Discovery;
using KestrelStream.Model;

namespace KestrelStream.Admin;

/// <summary>A destination of a cluster that is a name.</summary>
/// <param name="Id">Its key in the configuration: <c>source</c> of the members that it stands for.</param>
/// <param name="Name">As configured.</param>
/// <param name="Members">How many it stands for now.</param>
/// <param name="ResolvedAt">When the answer came that is in force; null = there is none.</param>
/// <param name="TtlSeconds">How long that was good for, as the name server said; null = the operating system's resolver does not say.</param>
/// <param name="LastResult">Of the last lookup: <c>ok</c>, <c>empty</c>, <c>failed</c>; null = none has ended.</param>
/// <param name="LastError">Why the last lookup brought no answer; null = it did.</param>
internal sealed record ApiName(
    string Id, string Name, int Members, DateTimeOffset? ResolvedAt, long? TtlSeconds, string? LastResult, string? LastError)
{
    public static ApiName Of(DestinationSource source)
    {
        var state = source.State;
        return new ApiName(
            source.Id,
            source.Address.ToString(),
            state?.Addresses.Length ?? 0,
            state?.ResolvedAt,
            (long?)state?.Ttl?.TotalSeconds,
            state?.Result.ToString().ToLowerInvariant(),
            state?.Failure);
    }
}
