using System.Numerics;

namespace KestrelStream.Model;

/// <summary>
/// Which destinations one session has tried. A local of the dial, started as <c>default</c>; not thread-safe.
/// Allocates only when a second member beyond the first 64 of a group is tried.
/// </summary>
internal struct DialAttempts
{
    /// <summary>Whose numbers the marks are; null = nothing tried yet.</summary>
    private DestinationGroup? _group;

    /// <summary>Marks of members 0 to 63.</summary>
    private ulong _low;

    /// <summary>The first mark above those; 0 = none.</summary>
    private int _firstHigh;

    /// <summary>Marks of members from 64 on, once there are two of them.</summary>
    private ulong[]? _high;

    private int _last;

    /// <summary>Hash of what ConsistentHash goes by; 0 = nothing.</summary>
    public ulong Key { get; init; }

    /// <summary>Destinations this session has got so far.</summary>
    public int Count { get; private set; }

    /// <summary>How many tiers the session has given up: 0 = none, it is at the primaries. It does not return to them.</summary>
    public int Tier { get; private set; }

    public readonly ulong TriedWord(int word)
    {
        if (word == 0)
        {
            return _low;
        }

        if (_high is not null)
        {
            return _high[word - 1];
        }

        return _firstHigh != 0 && _firstHigh >> 6 == word ? 1UL << _firstHigh : 0;
    }

    /// <summary>Number of the member tried last, if the marks are those of <paramref name="group"/>; otherwise -1.</summary>
    public readonly int LastIn(DestinationGroup group) => _group == group && Count > 0 ? _last : -1;

    /// <summary>Makes the marks those of <paramref name="group"/>: a reload may have come between two dials.</summary>
    public void Follow(DestinationGroup group)
    {
        if (_group == group)
        {
            return;
        }

        if (_group is null)
        {
            _group = group;
            return;
        }

        var before = this;
        ClearMarks(group);
        for (var word = 0; word < before._group.WordCount; word++)
        {
            for (var tried = before.TriedWord(word); tried != 0; tried &= tried - 1)
            {
                var member = before._group.Members[(word << 6) + BitOperations.TrailingZeroCount(tried)];
                var index = Array.IndexOf(group.Members, member);
                if (index >= 0)
                {
                    SetMark(index);
                }
            }
        }
    }

    /// <summary>Nobody was left before this tier.</summary>
    public void MoveTo(int tier, DestinationGroup group)
    {
        Tier = tier;
        ClearMarks(group);
    }

    public void Mark(int member)
    {
        SetMark(member);
        Count++;
    }

    private void ClearMarks(DestinationGroup group)
    {
        _group = group;
        _low = 0;
        _firstHigh = 0;
        _high = null;
        _last = 0;
    }

    private void SetMark(int member)
    {
        _last = member;
        if (member < 64)
        {
            _low |= 1UL << member;
        }
        else if (_high is null && _firstHigh == 0)
        {
            _firstHigh = member;
        }
        else
        {
            if (_high is null)
            {
                _high = new ulong[_group!.WordCount - 1];
                _high[(_firstHigh >> 6) - 1] |= 1UL << _firstHigh;
            }

            _high[(member >> 6) - 1] |= 1UL << member;
        }
    }
}
