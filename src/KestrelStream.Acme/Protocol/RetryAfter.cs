using System.Net.Http.Headers;

namespace KestrelStream.Acme.Protocol;

/// <summary>The header of that name (RFC 9110 §10.2.3), which an authority may fill with anything.</summary>
internal static class RetryAfter
{
    /// <summary>Whoever says more may be asked again the next day.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    /// <summary>Null = not there.</summary>
    public static TimeSpan? Of(RetryConditionHeaderValue? header, DateTimeOffset now)
    {
        var wait = header?.Delta ?? (header?.Date - now);
        return wait is { } span ? TimeSpan.FromTicks(Math.Clamp(span.Ticks, 0, Longest.Ticks)) : null;
    }
}
