namespace KestrelStream.LoadBalancing;

/// <summary>Draws members of a group at random, each as likely as its weight. Immutable.</summary>
internal sealed class WeightedDraw
{
    /// <summary>As in nginx. With half of the weight out of use, one pick in a million needs more.</summary>
    public const int MaxDraws = 20;

    /// <summary>For each member the weights before it and its own.</summary>
    private readonly long[] _cumulative;

    public WeightedDraw(ReadOnlySpan<int> weights)
    {
        _cumulative = new long[weights.Length];
        var total = 0L;
        for (var i = 0; i < weights.Length; i++)
        {
            total += weights[i];
            _cumulative[i] = total;
        }
    }

    /// <summary>A member of <paramref name="among"/>; -1 when none came up in <see cref="MaxDraws"/> draws.</summary>
    public int Next(Random random, MemberSet among, ref int draws)
    {
        while (draws < MaxDraws)
        {
            draws++;
            var member = Find(random.NextInt64(_cumulative[^1]));
            if (among.Contains(member))
            {
                return member;
            }
        }

        return -1;
    }

    /// <summary>The first member whose cumulative weight is above <paramref name="point"/>; one of weight 0 never is the first.</summary>
    private int Find(long point)
    {
        var low = 0;
        var high = _cumulative.Length - 1;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_cumulative[middle] > point)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }
}
