namespace KestrelStream.Limits;

/// <summary>What limits say of a session or a handshake.</summary>
/// <param name="IsAllowed">It may go on, after <paramref name="Wait"/>.</param>
/// <param name="Wait">Zero = at once.</param>
/// <param name="Kind">The limit that refuses or delays.</param>
internal readonly record struct LimitVerdict(bool IsAllowed, TimeSpan Wait, LimitKind Kind)
{
    /// <summary>It may be allowed once others have left: a matter of trying again. Rates have said already how long it would take.</summary>
    public bool MayChange => Kind is LimitKind.Sessions or LimitKind.ClientSessions;

    public static LimitVerdict Allowed => new(true, TimeSpan.Zero, default);

    /// <summary>Its place in the order is taken: others come behind it.</summary>
    public static LimitVerdict After(TimeSpan wait, LimitKind kind) => new(true, wait, kind);

    public static LimitVerdict Refused(LimitKind kind) => new(false, TimeSpan.Zero, kind);

    /// <summary>Of two that both allow: the longer wait.</summary>
    public LimitVerdict Or(in LimitVerdict other) => other.Wait > Wait ? other : this;
}
