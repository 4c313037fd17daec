using System.Numerics;

namespace KestrelStream.Access;

/// <summary>
/// The numbers of one address family cut into intervals, each with a verdict: what nested networks come to once the smaller one has the last word.
/// Immutable; a look-up is one binary search and allocates nothing.
/// </summary>
/// <typeparam name="T">An unsigned number of the width of an address.</typeparam>
internal sealed class IntervalTable<T>
    where T : struct, IBinaryInteger<T>, IMinMaxValue<T>
{
    /// <summary>The first bits of an address find the part of the table to search; fewer intervals than this are found sooner without.</summary>
    private const int FewIntervals = 512;

    private const int IndexBits = 16;

    private static readonly int s_shift = int.CreateChecked(T.LeadingZeroCount(T.Zero)) - IndexBits;

    private readonly T[] _starts;
    private readonly AccessVerdict[] _verdicts;

    /// <summary>For each value of the first bits: the interval that its lowest number is in. One more at the end.</summary>
    private readonly int[]? _index;

    /// <param name="ranges">Networks, by their first and last number; two of them are nested or have nothing in common.</param>
    public IntervalTable(IEnumerable<(T First, T Last, AccessVerdict Verdict)> ranges)
    {
        var starts = new List<T> { T.Zero };
        var verdicts = new List<AccessVerdict> { AccessVerdict.None };
        var around = new Stack<(T Last, AccessVerdict Verdict)>();
        foreach (var (first, last, verdict) in ranges.OrderBy(range => range.First).ThenByDescending(range => range.Last))
        {
            LeaveBefore(first);
            around.Push((last, verdict));
            Begin(first, verdict);
        }

        LeaveBefore(T.MaxValue);
        _starts = [.. starts];
        _verdicts = [.. verdicts];
        _index = _starts.Length > FewIntervals ? BuildIndex() : null;

        // Behind the end of a network the one around it goes on.
        void LeaveBefore(T number)
        {
            while (around.TryPeek(out var inner) && inner.Last < number)
            {
                around.Pop();
                Begin(inner.Last + T.One, around.TryPeek(out var outer) ? outer.Verdict : AccessVerdict.None);
            }
        }

        void Begin(T first, AccessVerdict verdict)
        {
            if (starts[^1] == first)
            {
                verdicts[^1] = verdict;
            }
            else if (verdicts[^1] != verdict)
            {
                starts.Add(first);
                verdicts.Add(verdict);
            }
        }
    }

    public AccessVerdict this[T number]
    {
        get
        {
            // The last start that is not above the number: it is at low, and all from high on are above.
            var (low, high) = (0, _starts.Length);
            if (_index is { } index)
            {
                var part = int.CreateTruncating(number >> s_shift);
                (low, high) = (index[part], index[part + 1] + 1);
            }

            while (high - low > 1)
            {
                var middle = (low + high) >>> 1;
                if (_starts[middle] <= number)
                {
                    low = middle;
                }
                else
                {
                    high = middle;
                }
            }

            return _verdicts[low];
        }
    }

    private int[] BuildIndex()
    {
        var index = new int[(1 << IndexBits) + 1];
        var interval = 0;
        for (var part = 0; part < index.Length - 1; part++)
        {
            var first = T.CreateTruncating(part) << s_shift;
            while (interval + 1 < _starts.Length && _starts[interval + 1] <= first)
            {
                interval++;
            }

            index[part] = interval;
        }

        index[^1] = _starts.Length - 1;
        return index;
    }
}
