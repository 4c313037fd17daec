using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace KestrelStream.LoadBalancing;

/// <summary>
/// nginx's smooth weighted round robin over the members of one group: the order is spread (5,1,1 gives a a b a c a a), and a member
/// that failed gets its share back by and by. Not thread-safe: every call needs the cluster's lock.
/// </summary>
/// <remarks>
/// Members that cannot be chosen take no part in a turn, so those that can share it by their weights, and nobody catches up later.
/// This is nginx's loop, eight members at a time, rather than a sequence made ahead: after a failure the sequence changes on every
/// pick, and for weights such as 65,535 and 65,534 it has no sensible length.
/// </remarks>
internal sealed class SmoothWeights
{
    /// <summary>Keeps every sum far from overflow. Weights of more than this in all (4,096 members of 65,535) are halved until they fit.</summary>
    private const long MaxTotal = 1 << 28;

    // One entry a member, up to a multiple of the lanes.
    private readonly int[] _weights;
    private readonly int[] _effective;
    private readonly int[] _current;

    public SmoothWeights(ReadOnlySpan<int> weights)
    {
        var total = 0L;
        foreach (var weight in weights)
        {
            total += weight;
        }

        var shift = 0;
        while (total >> shift > MaxTotal)
        {
            shift++;
        }

        _weights = new int[(weights.Length + MemberLanes.Count - 1) / MemberLanes.Count * MemberLanes.Count];
        for (var i = 0; i < weights.Length; i++)
        {
            _weights[i] = weights[i] == 0 ? 0 : Math.Max(1, weights[i] >> shift);
        }

        _effective = [.. _weights];
        _current = new int[_weights.Length];
    }

    /// <summary>Takes the turn of one of <paramref name="among"/>; -1 when that is empty.</summary>
    public int Next(MemberSet among)
    {
        ref var weights = ref MemoryMarshal.GetArrayDataReference(_weights);
        ref var effectives = ref MemoryMarshal.GetArrayDataReference(_effective);
        ref var currents = ref MemoryMarshal.GetArrayDataReference(_current);
        var totals = Vector256<int>.Zero;
        var bestCurrents = Vector256.Create(int.MinValue);
        var bestBlocks = Vector256.Create(-1);
        for (var block = 0; block < _current.Length; block += MemberLanes.Count)
        {
            var taking = MemberLanes.Mask(among.Word(block >> 6), block);
            var effective = Vector256.LoadUnsafe(ref effectives, (nuint)block);
            var share = effective & taking;
            var current = Vector256.LoadUnsafe(ref currents, (nuint)block) + share;
            current.StoreUnsafe(ref currents, (nuint)block);
            totals += share;

            // Grown after it was counted: a recovery shows from the next turn on. (A true lane is -1.)
            var grows = Vector256.LessThan(effective, Vector256.LoadUnsafe(ref weights, (nuint)block)) & taking;
            (effective - grows).StoreUnsafe(ref effectives, (nuint)block);

            // Strictly greater: of equals in a lane, the first.
            var better = Vector256.GreaterThan(current, bestCurrents) & taking;
            bestCurrents = Vector256.ConditionalSelect(better, current, bestCurrents);
            bestBlocks = Vector256.ConditionalSelect(better, Vector256.Create(block), bestBlocks);
        }

        var best = FirstOfGreatest(bestCurrents, bestBlocks);
        if (best >= 0)
        {
            _current[best] -= Vector256.Sum(totals);
        }

        return best;
    }

    /// <summary>A failed dial of a member: it loses its share of as many as <paramref name="maxFails"/> failures.</summary>
    public void Reduce(int member, int maxFails)
        => _effective[member] = Math.Max(0, _effective[member] - _weights[member] / maxFails);

    /// <summary>Takes over where <paramref name="previous"/> stands, member by member.</summary>
    /// <param name="previous">The group before a reload.</param>
    /// <param name="previousMembers">For each member here its number there, -1 = new.</param>
    public void ContinueFrom(SmoothWeights previous, ReadOnlySpan<int> previousMembers)
    {
        // The sum of all currents is zero. Taken over in part it would not be, so turns only go on in a group that is the same.
        var isSame = previous._weights.AsSpan().SequenceEqual(_weights);
        for (var i = 0; i < previousMembers.Length; i++)
        {
            var there = previousMembers[i];
            isSame &= there == i;
            if (there >= 0 && previous._effective[there] < previous._weights[there])
            {
                _effective[i] = Math.Min(previous._effective[there], _weights[i]);
            }
        }

        if (isSame)
        {
            previous._current.CopyTo(_current, 0);
        }
    }

    private static int FirstOfGreatest(Vector256<int> currents, Vector256<int> blocks)
    {
        var best = -1;
        var bestCurrent = int.MinValue;
        for (var lane = 0; lane < MemberLanes.Count; lane++)
        {
            var block = blocks[lane];
            if (block < 0)
            {
                continue;
            }

            var current = currents[lane];
            var member = block + lane;
            if (best < 0 || current > bestCurrent || (current == bestCurrent && member < best))
            {
                best = member;
                bestCurrent = current;
            }
        }

        return best;
    }
}
