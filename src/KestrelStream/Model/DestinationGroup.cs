using System.Numerics;
using KestrelStream.Configuration;
using KestrelStream.Health;
using KestrelStream.LoadBalancing;

namespace KestrelStream.Model;

/// <summary>
/// The primaries or the backups of one cluster model, numbered from 0, and what decides among them: turns, and who is out.
/// Thread-safe; what changes is written under the cluster's lock, which is held for one pass over the members at most.
/// </summary>
internal sealed class DestinationGroup
{
    private readonly Lock _gate;
    private readonly PassiveHealthModel _passive;
    private readonly DestinationConfig[] _configs;
    private readonly SmoothWeights _turns;

    /// <summary>Members that may be chosen at all: weight above 0.</summary>
    private readonly ulong[] _enabled;

    /// <summary>
    /// Members that may be full, to be looked at one by one on a pick. Whoever fills a member sets the bit afterwards; whoever finds
    /// room clears it and looks once more. So a bit may be set for nothing until the next pick, but none is missing for long; and
    /// taking a slot decides anyway.
    /// </summary>
    private readonly ulong[] _full;

    /// <summary>Members that are out. Written under the lock.</summary>
    private readonly ulong[] _out;

    /// <summary>Members that active checks have found down: no session gets them, not even as a trial. Written under the lock.</summary>
    private readonly ulong[] _down;

    /// <summary>No member that is out was checked before this; until its window is over, none of them has to be looked at.</summary>
    private long _oldestCheck;

    public DestinationGroup(Lock gate, ClusterModel model, bool backups)
    {
        _gate = gate;
        _passive = model.PassiveHealth;

        var numbers = Enumerable.Range(0, model.Destinations.Length).Where(i => model.DestinationConfigs[i].Backup == backups).ToArray();
        Members = [.. numbers.Select(i => model.Destinations[i])];
        _configs = [.. numbers.Select(i => model.DestinationConfigs[i])];
        Weights = [.. _configs.Select(config => config.Weight)];
        _turns = new SmoothWeights(Weights);
        Draw = new WeightedDraw(Weights);

        var words = MemberSet.WordsFor(Members.Length);
        _enabled = new ulong[words];
        WeightDivisors = new float[words * 64];
        _full = new ulong[words];
        _out = new ulong[words];
        _down = new ulong[words];
        for (var i = 0; i < Members.Length; i++)
        {
            WeightDivisors[i] = Weights[i];
            _enabled[i >> 6] |= Weights[i] > 0 ? 1UL << i : 0;
            FollowChecks(i);
        }
    }

    /// <summary>Never changed.</summary>
    public DestinationState[] Members { get; }

    /// <summary>For each member. Never changed.</summary>
    public int[] Weights { get; }

    /// <summary><see cref="Weights"/> to divide by, up to a multiple of 64.</summary>
    public float[] WeightDivisors { get; }

    public int WordCount => _enabled.Length;

    public WeightedDraw Draw { get; }

    public MemberLoad Load(int member) => new(Members[member].ActiveSessions, Weights[member]);

    /// <summary>The next turn among some members; -1 when there is none.</summary>
    public int NextInTurn(MemberSet among)
    {
        lock (_gate)
        {
            return _turns.Next(among);
        }
    }

    /// <summary>Members that a session may use: weight, health, room, and not tried before.</summary>
    public void FindAvailable(in DialAttempts attempts, TimeProvider time, MemberSet available)
    {
        var anyOut = 0UL;
        for (var word = 0; word < available.WordCount; word++)
        {
            var members = _enabled[word] & ~Volatile.Read(ref _down[word]) & ~attempts.TriedWord(word);
            for (var full = members & Volatile.Read(ref _full[word]); full != 0; full &= full - 1)
            {
                var member = (word << 6) + BitOperations.TrailingZeroCount(full);
                if (IsFull(member))
                {
                    members &= ~(1UL << member);
                }
            }

            var isOut = members & Volatile.Read(ref _out[word]);
            anyOut |= isOut;
            available.SetWord(word, members & ~isOut);
        }

        // The clock costs as much as all of the above: it is read only when somebody is out.
        if (anyOut != 0 && time.GetTimestamp() is var now && now - Volatile.Read(ref _oldestCheck) > _passive.Window)
        {
            AddTrials(attempts, now, available);
        }
    }

    /// <summary>A member was filled, or found to be full.</summary>
    public void MarkFull(int member) => Interlocked.Or(ref _full[member >> 6], 1UL << member);

    /// <summary>Number of a member, tried first where the session says it is; -1 = not here.</summary>
    public int IndexOf(DestinationState destination, in DialAttempts attempts)
    {
        var last = attempts.LastIn(this);
        return last >= 0 && Members[last] == destination ? last : Array.IndexOf(Members, destination);
    }

    /// <summary>Gives the destinations what this model says about them. Under the lock, before anybody picks from this group.</summary>
    public void TakeOver()
    {
        for (var i = 0; i < Members.Length; i++)
        {
            Members[i].Configure(_configs[i]);
            if (!_passive.IsOn)
            {
                Members[i].Failures.Reset();
            }

            MarkFull(i);
            FollowChecks(i);
            SetOut(i, Members[i].Failures.IsOut(_passive));
        }

        // Unknown, so the first pick that finds somebody out looks at them.
        _oldestCheck = long.MinValue / 2;
    }

    /// <summary>A failed dial, already in the destination's account. Under the lock.</summary>
    public void RecordFailure(int member)
    {
        _turns.Reduce(member, _passive.MaxFails);
        SetOut(member, Members[member].Failures.IsOut(_passive));
    }

    /// <summary>The failures were cleared. Under the lock.</summary>
    public void PutBack(int member) => SetOut(member, isOut: false);

    /// <summary>Takes over whether a member is up by active checks. Under the lock.</summary>
    public void FollowChecks(int member)
    {
        ref var word = ref _down[member >> 6];
        Volatile.Write(ref word, Members[member].IsUpByChecks ? word & ~(1UL << member) : word | (1UL << member));
    }

    /// <summary>For each member its number in <paramref name="previous"/>, -1 = new.</summary>
    public int[] FindIn(DestinationGroup previous)
    {
        var numbers = new Dictionary<DestinationState, int>(previous.Members.Length);
        for (var i = 0; i < previous.Members.Length; i++)
        {
            numbers.Add(previous.Members[i], i);
        }

        return [.. Members.Select(member => numbers.GetValueOrDefault(member, -1))];
    }

    /// <summary>Takes over whose turn it is. Under the lock.</summary>
    public void ContinueFrom(DestinationGroup previous, ReadOnlySpan<int> previousMembers)
        => _turns.ContinueFrom(previous._turns, previousMembers);

    private bool IsFull(int member)
    {
        if (Members[member].IsFull)
        {
            return true;
        }

        Interlocked.And(ref _full[member >> 6], ~(1UL << member));
        if (Members[member].IsFull)
        {
            MarkFull(member);
        }

        return false;
    }

    private void SetOut(int member, bool isOut)
    {
        Members[member].SetOut(isOut);
        ref var word = ref _out[member >> 6];
        Volatile.Write(ref word, isOut ? word | (1UL << member) : word & ~(1UL << member));
    }

    /// <summary>Members that are out but whose window is over.</summary>
    private void AddTrials(in DialAttempts attempts, long now, MemberSet available)
    {
        lock (_gate)
        {
            _oldestCheck = now;
            for (var word = 0; word < _out.Length; word++)
            {
                for (var isOut = _out[word]; isOut != 0; isOut &= isOut - 1)
                {
                    var member = (word << 6) + BitOperations.TrailingZeroCount(isOut);
                    ref var failures = ref Members[member].Failures;
                    _oldestCheck = Math.Min(_oldestCheck, failures.Checked);
                    var bit = isOut & (~isOut + 1);
                    if (failures.IsTrialDue(_passive, now) && (bit & _enabled[word] & ~_down[word] & ~attempts.TriedWord(word)) != 0 && !IsFull(member))
                    {
                        available.Add(member);
                    }
                }
            }
        }
    }
}
