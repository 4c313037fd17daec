using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using KestrelStream.Model;

namespace KestrelStream.LoadBalancing;

/// <summary>Finds the least load for the weight among the members of a group; those that tie take turns. Stateless.</summary>
internal static class LeastLoadSearch
{
    private const int WordMembers = 64;

    [SkipLocalsInit]
    public static int Pick<TLoad>(in LoadBalancingContext context)
        where TLoad : struct, ILeastLoad
    {
        var group = context.Group;
        var available = context.Available;
        var words = available.WordCount;
        var tied = new MemberSet(words <= MemberSet.MaxStackWords ? stackalloc ulong[words] : new ulong[words]);
        Span<float> loads = stackalloc float[WordMembers];
        var least = float.PositiveInfinity;
        for (var word = 0; word < words; word++)
        {
            var members = available.Word(word);
            var leastHere = FindLoads<TLoad>(group, word, members, loads);
            tied.SetWord(word, leastHere <= least ? FindEqual(loads, leastHere) & members : 0);
            if (leastHere < least)
            {
                least = leastHere;
                tied.Clear(before: word);
            }
        }

        return tied.Count == 1 ? tied.First : group.NextInTurn(tied);
    }

    /// <summary>
    /// Loads by weight of 64 members, infinite for those not asked for; returns the least. Equal shares give equal quotients,
    /// and shares that differ by less than the 24 bits of a float are as good as equal.
    /// </summary>
    [SkipLocalsInit]
    private static float FindLoads<TLoad>(DestinationGroup group, int word, ulong asked, Span<float> loads)
        where TLoad : struct, ILeastLoad
    {
        var first = word * WordMembers;
        var members = group.Members.AsSpan(first, Math.Min(WordMembers, group.Members.Length - first));
        ref var loadsRef = ref MemoryMarshal.GetReference(loads);
        for (var i = 0; i < members.Length; i++)
        {
            // A word of members is no more than loads has room for.
            Unsafe.Add(ref loadsRef, i) = TLoad.Of(members[i]);
        }

        ref var divisorsRef = ref group.WeightDivisors[first];
        var infinite = Vector256.Create(float.PositiveInfinity);
        var least = infinite;
        for (var i = 0; i < WordMembers; i += MemberLanes.Count)
        {
            var isAsked = MemberLanes.Mask(asked, i).AsSingle();
            var load = Vector256.LoadUnsafe(ref loadsRef, (nuint)i) / Vector256.LoadUnsafe(ref divisorsRef, (nuint)i);
            load = Vector256.ConditionalSelect(isAsked, load, infinite);
            load.StoreUnsafe(ref loadsRef, (nuint)i);
            least = Vector256.MinNative(least, load);
        }

        var four = Vector128.MinNative(least.GetLower(), least.GetUpper());
        return Math.Min(Math.Min(four[0], four[1]), Math.Min(four[2], four[3]));
    }

    private static ulong FindEqual(ReadOnlySpan<float> loads, float value)
    {
        ref var loadsRef = ref MemoryMarshal.GetReference(loads);
        var values = Vector256.Create(value);
        var equal = 0UL;
        for (var i = 0; i < WordMembers; i += MemberLanes.Count)
        {
            equal |= (ulong)Vector256.Equals(Vector256.LoadUnsafe(ref loadsRef, (nuint)i), values).ExtractMostSignificantBits() << i;
        }

        return equal;
    }
}
