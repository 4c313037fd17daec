namespace KestrelStream.Configuration;

/// <summary>Which records one rule of the access log takes: those that meet all of its conditions. An item that begins with <c>!</c> means every other one.</summary>
public sealed record AccessLogRuleConfig
{
    /// <summary>Names of <see cref="Sessions.SessionEndReason"/>. Asked of records of the end only. Empty = any.</summary>
    public IReadOnlyList<string> EndReasons { get; init; } = [];

    /// <summary>Ids of routes. A session that ended without one is in no list of ids. Empty = any.</summary>
    public IReadOnlyList<string> Routes { get; init; } = [];

    /// <summary>Ids of listeners. Empty = any.</summary>
    public IReadOnlyList<string> Listeners { get; init; } = [];

    /// <summary>Shortest session. Asked of records of the end only. Null = any.</summary>
    public TimeSpan? MinDuration { get; init; }

    /// <summary>Share of the sessions, above 0 up to 1; all records of a session, or none. Null = all sessions.</summary>
    public double? Sample { get; init; }
}
