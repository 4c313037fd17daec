namespace KestrelStream.LoadBalancing;

/// <summary>Sessions of a destination in proportion to its weight. Compared crosswise, so nothing is rounded.</summary>
internal readonly struct MemberLoad(int sessions, int weight)
{
    /// <summary>More than any other.</summary>
    public static readonly MemberLoad Infinite = new(1, 0);

    private readonly long _sessions = sessions;
    private readonly long _weight = weight;

    public bool IsLess(MemberLoad other) => _sessions * other._weight < other._sessions * _weight;

    public bool IsSame(MemberLoad other) => _sessions * other._weight == other._sessions * _weight;
}
