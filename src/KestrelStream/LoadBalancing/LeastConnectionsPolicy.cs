using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using KestrelStream.Model;

namespace KestrelStream.LoadBalancing;

/// <summary>Fewest sessions for the weight (nginx's least_conn); those that tie take turns. Stateless.</summary>
internal sealed class LeastConnectionsPolicy : ILoadBalancingPolicy
{
    private const int Lanes = 8;
    private const int WordMembers = 64;

    private static readonly Vector256<int> LaneBits = Vector256.Create(1, 2, 4, 8, 16, 32, 64, 128);

    public string Name => LoadBalancingPolicies.LeastConnections;

    [SkipLocalsInit]
    public int Pick(in LoadBalancingContext context)
    {
        var available = context.Available;
        var words = available.WordCount;
        var tied = new MemberSet(words <= MemberSet.MaxStackWords ? stackalloc ulong[words] : new ulong[words]);
        Span<float> loads = stackalloc float[WordMembers];
        var least = float.PositiveInfinity;
        for (var word = 0; word < words; word++)
        {
            var leastHere = FindLoads(context.Group, word, available.Word(word), loads);
            tied.SetWord(word, leastHere <= least ? FindEqual(loads, leastHere) & available.Word(word) : 0);
            if (leastHere < least)
            {
                least = leastHere;
                tied.Clear(before: word);
            }
        }

        return tied.Count == 1 ? tied.First : context.Group.NextInTurn(tied);
    }

    /// <summary>
    /// Sessions by weight of 64 members, infinite for those not asked for; returns the least. Equal shares give equal quotients,
    /// and shares that differ by less than the 24 bits of a float are as good as equal.
    /// </summary>
    [SkipLocalsInit]
    private static float FindLoads(DestinationGroup group, int word, ulong asked, Span<float> loads)
    {
        var first = word * WordMembers;
        var members = group.Members.AsSpan(first);
        Span<int> sessions = stackalloc int[WordMembers];
        var count = Math.Min(members.Length, WordMembers);
        for (var i = 0; i < count; i++)
        {
            sessions[i] = members[i].ActiveSessions;
        }

        var least = Vector256.Create(float.PositiveInfinity);
        for (var i = 0; i < WordMembers; i += Lanes)
        {
            var isAsked = Vector256.Equals(Vector256.Create((int)(asked >> i) & 0xff) & LaneBits, LaneBits).AsSingle();
            var load = Vector256.ConvertToSingle(Vector256.Create<int>(sessions[i..])) / Vector256.Create<float>(group.WeightDivisors.AsSpan(first + i));
            load = Vector256.ConditionalSelect(isAsked, load, Vector256.Create(float.PositiveInfinity));
            load.CopyTo(loads[i..]);
            least = Vector256.Min(least, load);
        }

        return Least(least);
    }

    private static float Least(Vector256<float> values)
    {
        var four = Vector128.Min(values.GetLower(), values.GetUpper());
        return Math.Min(Math.Min(four[0], four[1]), Math.Min(four[2], four[3]));
    }

    private static ulong FindEqual(ReadOnlySpan<float> loads, float value)
    {
        var equal = 0UL;
        for (var i = 0; i < WordMembers; i += Lanes)
        {
            equal |= (ulong)Vector256.Equals(Vector256.Create<float>(loads[i..]), Vector256.Create(value)).ExtractMostSignificantBits() << i;
        }

        return equal;
    }
}
