using System.Numerics;
using KestrelStream.Configuration;
using KestrelStream.Model;

namespace KestrelStream.LoadBalancing;

/// <summary>
/// The points of a group's members on a ring, as in ketama: 160 for each unit of weight. They come from the addresses alone, so every
/// proxy with the same destinations makes the same choice, and a reload that leaves a member alone leaves its points. Immutable.
/// </summary>
internal sealed class HashRing
{
    /// <summary>As ketama and nginx have it: shares come out within a tenth of the weight or so.</summary>
    private const int PointsPerWeight = 160;

    /// <summary>3 MB. Beyond it every member has half the points, and half again: a member's points are always the first ones of the same sequence.</summary>
    private const int MaxPoints = 1 << 18;

    /// <summary>So far a walk goes past members that cannot be chosen before turns decide: some microseconds.</summary>
    private const int MaxSteps = 4096;

    /// <summary>Ascending.</summary>
    private readonly ulong[] _hashes;

    /// <summary>Whose point it is.</summary>
    private readonly int[] _members;

    /// <summary>For each value of the upper bits where its points begin: the search is one or two steps from there.</summary>
    private readonly int[] _starts;

    private readonly int _shift;
    private readonly double? _balanceFactor;

    public HashRing(ReadOnlySpan<DestinationState> members, ReadOnlySpan<int> weights, double? balanceFactor)
    {
        _balanceFactor = balanceFactor;
        var counts = CountPoints(weights);
        var total = counts.Sum();
        _hashes = new ulong[total];
        _members = new int[total];
        var point = 0;
        for (var member = 0; member < members.Length; member++)
        {
            var seed = KeyHash.Of(members[member].Address.ToString());
            for (var i = 0; i < counts[member]; i++)
            {
                _hashes[point] = KeyHash.Mix(seed + ((ulong)i * KeyHash.Golden));
                _members[point++] = member;
            }
        }

        Array.Sort(_hashes, _members);
        var bits = Math.Clamp(BitOperations.Log2((uint)total + 1), 1, 18);
        _shift = 64 - bits;
        _starts = new int[1 << bits];
        for (var (value, next) = (0, 0); value < _starts.Length; value++)
        {
            while (next < total && _hashes[next] >> _shift < (ulong)value)
            {
                next++;
            }

            _starts[value] = next;
        }
    }

    /// <summary>The ring of a group; null when its members need none.</summary>
    public static HashRing? Create(ClusterModel model, DestinationState[] members, int[] weights)
        => model.Policy is ConsistentHashPolicy && members.Length > 0 ? new HashRing(members, weights, model.Config.Hash?.BalanceFactor) : null;

    /// <summary>The first of <paramref name="among"/> from the key's place on, that is not loaded beyond its bound; -1 = none within reach.</summary>
    public int Find(ulong key, MemberSet among, DestinationGroup group)
    {
        var bound = _balanceFactor is { } factor ? LoadBound.Of(group, among, factor) : default;
        var point = _starts[key >> _shift];
        while (point < _hashes.Length && _hashes[point] < key)
        {
            point++;
        }

        var last = -1;
        for (var steps = Math.Min(_hashes.Length, MaxSteps); steps > 0; steps--, point++)
        {
            if (point >= _hashes.Length)
            {
                point = 0;
            }

            var member = _members[point];
            if (member == last)
            {
                continue;
            }

            if (!among.Contains(member) || (_balanceFactor is not null && !bound.HasRoom(group, member)))
            {
                last = member;
            }
            else if (IsActive(point, group.Share(member)))
            {
                return member;
            }
        }

        return -1;
    }

    /// <summary>A member in its slow start has some of its points, and keeps those: its keys come to it one after another.</summary>
    private bool IsActive(int point, float share) => share >= 1 || (_hashes[point] & ushort.MaxValue) < share * ushort.MaxValue;

    private static int[] CountPoints(ReadOnlySpan<int> weights)
    {
        var total = 0L;
        foreach (var weight in weights)
        {
            total += weight;
        }

        var shift = 0;
        while (total * PointsPerWeight >> shift > MaxPoints)
        {
            shift++;
        }

        var counts = new int[weights.Length];
        for (var i = 0; i < counts.Length; i++)
        {
            counts[i] = weights[i] == 0 ? 0 : (int)Math.Max(1, (long)weights[i] * PointsPerWeight >> shift);
        }

        return counts;
    }
}
