using KestrelStream.Model;

namespace KestrelStream.LoadBalancing;

/// <summary>Consistent hashing with bounded loads: how many sessions a member may have, of those that all have and the one to come. On the stack of one pick.</summary>
internal readonly struct LoadBound
{
    private readonly double _sessionsPerWeight;

    private LoadBound(double sessionsPerWeight) => _sessionsPerWeight = sessionsPerWeight;

    /// <param name="group">Whose members.</param>
    /// <param name="among">Those that share the load.</param>
    /// <param name="factor">Times the fair share; 1 or more, so that there is always one with room.</param>
    public static LoadBound Of(DestinationGroup group, MemberSet among, double factor)
    {
        var sessions = 1L;
        var weight = 0.0;
        for (var word = 0; word < among.WordCount; word++)
        {
            for (var members = among.Word(word); members != 0; members &= members - 1)
            {
                var member = (word << 6) + System.Numerics.BitOperations.TrailingZeroCount(members);
                sessions += group.Members[member].ActiveSessions;
                weight += group.WeightDivisors[member];
            }
        }

        return new LoadBound(factor * sessions / weight);
    }

    public bool HasRoom(DestinationGroup group, int member)
        => group.Members[member].ActiveSessions < Math.Ceiling(_sessionsPerWeight * group.WeightDivisors[member]);
}
