namespace KestrelStream.Acme.Issuing;

/// <summary>How long the client waits for what. Immutable.</summary>
internal sealed record AcmeTimings
{
    /// <summary>
    /// After a first failure; doubled with every further one. Five attempts in the first hour is what Let's Encrypt lets an account fail
    /// for a name.
    /// </summary>
    public TimeSpan FirstRetry { get; init; } = TimeSpan.FromMinutes(2);

    public TimeSpan LongestRetry { get; init; } = TimeSpan.FromHours(6);

    /// <summary>Between two looks at what the authority is working on; half as much again each time.</summary>
    public TimeSpan FirstPoll { get; init; } = TimeSpan.FromMilliseconds(500);

    public TimeSpan LongestPoll { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Of one attempt from beginning to end.</summary>
    public TimeSpan Attempt { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Between two questions when a certificate should be renewed, where the authority says nothing else (RFC 9773 §4.3.3 has six hours).</summary>
    public TimeSpan Suggestion { get; init; } = TimeSpan.FromHours(6);

    /// <summary>The clock may be set, and the folder changed: looked at so often at least.</summary>
    public TimeSpan LongestSleep { get; init; } = TimeSpan.FromHours(12);
}
