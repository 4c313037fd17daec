using System.Numerics;
using KestrelStream.Configuration;
using KestrelStream.Health;
using KestrelStream.LoadBalancing;

namespace KestrelStream.Model;

/// <summary>
/// The members of one tier of a cluster model, numbered from 0, and what decides among them: turns, and who is out.
/// Thread-safe; what changes is written under the cluster's lock, which is held for one pass over the members at most.
/// </summary>
internal sealed class DestinationGroup
{
    private readonly Lock _gate;
    private readonly TimeProvider _time;
    private readonly ClusterModel _model;
    private readonly PassiveHealthModel _passive;
    private readonly DestinationConfig[] _configs;
    private readonly PoolHealth _pool;
    private readonly SmoothWeights _turns;
    private readonly WeightedDraw _draw;
    private readonly WeightRamp _ramp;

    /// <summary>Members that may be chosen at all: weight above 0, and no operator against it.</summary>
    private readonly ulong[] _enabled;

    /// <summary>
    /// Members that may be full, to be looked at one by one on a pick. Whoever fills a member sets the bit afterwards; whoever finds
    /// room clears it and looks once more. So a bit may be set for nothing until the next pick, but none is missing for long; and
    /// taking a slot decides anyway.
    /// </summary>
    private readonly ulong[] _full;

    /// <summary>Members that are out. Written under the lock.</summary>
    private readonly ulong[] _out;

    /// <summary>Members that active checks, or an operator, have found down: no session gets them, not even as a trial, unless so few are up that health is ignored. Written under the lock.</summary>
    private readonly ulong[] _down;

    /// <summary>No member that is out was checked before this; until its window is over, none of them has to be looked at.</summary>
    private long _oldestCheck;

    private long _latenciesAged;

    public DestinationGroup(Lock gate, ClusterModel model, PoolHealth pool, TimeProvider time, int tier)
        : this(gate, model, pool, time, Choose(model, tier))
        => Ring = HashRing.Create(model, Members, Weights);

    /// <summary>Another one of the same members, with turns of its own.</summary>
    public DestinationGroup(Lock gate, DestinationGroup original)
        : this(gate, original._model, original._pool, original._time, (original.Members, original._configs))
        => Ring = original.Ring;

    private DestinationGroup(
        Lock gate, ClusterModel model, PoolHealth pool, TimeProvider time, (DestinationState[] Members, DestinationConfig[] Configs) members)
    {
        _gate = gate;
        _time = time;
        _model = model;
        _pool = pool;
        _passive = model.PassiveHealth;
        (Members, _configs) = members;
        Weights = [.. _configs.Select(config => config.Weight)];
        _turns = new SmoothWeights(Weights);
        _draw = new WeightedDraw(Weights);

        var words = MemberSet.WordsFor(Members.Length);
        _enabled = new ulong[words];
        WeightDivisors = new float[words * 64];
        _full = new ulong[words];
        _out = new ulong[words];
        _down = new ulong[words];
        for (var i = 0; i < Members.Length; i++)
        {
            WeightDivisors[i] = Weights[i];
            _enabled[i >> 6] |= Weights[i] > 0 && _configs[i].Control.TakesSessions ? 1UL << i : 0;
        }

        _ramp = new WeightRamp(Members, Weights, WeightDivisors, (long)(model.Config.SlowStart.TotalSeconds * time.TimestampFrequency));
    }

    /// <summary>Never changed.</summary>
    public DestinationState[] Members { get; }

    /// <summary>For each member. Never changed.</summary>
    public int[] Weights { get; }

    /// <summary><see cref="Weights"/> to divide by, up to a multiple of 64. Of members in their slow start a part of it, which grows.</summary>
    public float[] WeightDivisors { get; }

    public int WordCount => _enabled.Length;

    /// <summary>Null where the policy needs none.</summary>
    public HashRing? Ring { get; }

    /// <summary>For the comparison of members with each other: all of them in 256ths of a weight while some are in their slow start.</summary>
    public MemberLoad Load(int member)
        => new(Members[member].ActiveSessions, _ramp.IsActive ? (int)Math.Ceiling(WeightDivisors[member] * 256) : Weights[member]);

    /// <summary>Of its weight: less than 1 in its slow start.</summary>
    public float Share(int member) => _ramp.Share(member);

    /// <summary>The next turn among some members; -1 when there is none.</summary>
    public int NextInTurn(MemberSet among)
    {
        lock (_gate)
        {
            return _ramp.IsActive ? NextInTurnOfRamp(among) : _turns.Next(among);
        }
    }

    /// <summary>A member drawn by weight; -1 when none came up in <see cref="WeightedDraw.MaxDraws"/> draws.</summary>
    public int Draw(Random random, MemberSet among, ref int draws)
    {
        var member = _draw.Next(random, among, ref draws);
        while (member >= 0 && _ramp.IsActive && random.NextSingle() >= _ramp.Share(member))
        {
            member = _draw.Next(random, among, ref draws);
        }

        return member;
    }

    /// <summary>Members that a session may use: weight, health, room, and not tried before.</summary>
    public void FindAvailable(in DialAttempts attempts, MemberSet available)
    {
        if (_ramp.IsActive && _time.GetTimestamp() is var moment && _ramp.IsDue(moment))
        {
            UpdateRamp(moment);
        }

        var anyOut = 0UL;
        var isPanic = _pool.IsPanic;
        for (var word = 0; word < available.WordCount; word++)
        {
            var members = Candidates(word, isPanic) & ~attempts.TriedWord(word);
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
            available.SetWord(word, isPanic ? members : members & ~isOut);
        }

        // The clock costs as much as all of the above: it is read only when somebody is out.
        if (anyOut != 0 && !isPanic && _time.GetTimestamp() is var now && now - Volatile.Read(ref _oldestCheck) > _passive.Window)
        {
            AddTrials(attempts, now, available);
        }
    }

    /// <summary>Whether a member that a session may use has no room now. Not for the usual path.</summary>
    public bool HasFull(in DialAttempts attempts)
    {
        var isPanic = _pool.IsPanic;
        for (var word = 0; word < WordCount; word++)
        {
            var members = Candidates(word, isPanic) & ~attempts.TriedWord(word) & (isPanic ? ulong.MaxValue : ~Volatile.Read(ref _out[word]));
            for (; members != 0; members &= members - 1)
            {
                if (Members[(word << 6) + BitOperations.TrailingZeroCount(members)].IsFull)
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>From time to time: dial times that nothing has confirmed since count for less.</summary>
    public void AgeLatencies(long now, long oldest)
    {
        var last = Volatile.Read(ref _latenciesAged);
        if (last > oldest || Interlocked.CompareExchange(ref _latenciesAged, now, last) != last)
        {
            return;
        }

        foreach (var member in Members)
        {
            member.DialLatency.Age(oldest);
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
    /// <remarks>Who is out comes next: <see cref="TakeOut"/>.</remarks>
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
        }

        _ramp.Update(_time.GetTimestamp());

        // Unknown, so the first pick that finds somebody out looks at them.
        _oldestCheck = long.MinValue / 2;
    }

    /// <summary>Takes out whose failures say so, as many as may be: first those that were out before, then the others. Under the lock.</summary>
    public void TakeOut(bool ofThoseOut)
    {
        for (var i = 0; i < Members.Length; i++)
        {
            if (Members[i].IsOut == ofThoseOut && !IsMarkedOut(i))
            {
                SetOut(i, MayBeOut(i) && Members[i].Failures.IsSpent(_passive) && _pool.MayEject);
            }
        }
    }

    /// <summary>A failure, already in the destination's account. Under the lock.</summary>
    public void RecordFailure(int member, bool wasTrial, long now)
    {
        _turns.Reduce(member, _passive.MaxFails);
        var wasOut = IsMarkedOut(member);
        ref var failures = ref Members[member].Failures;
        if (!failures.IsSpent(_passive) || (!wasOut && !(_pool.MayEject && MayBeOut(member))))
        {
            return;
        }

        if (!wasOut)
        {
            SetOut(member, isOut: true);
            Members[member].CountEjection();
        }

        if (!wasOut || wasTrial)
        {
            failures.RecordRound(_passive, now, wasOut);
        }
    }

    /// <summary>The failures were cleared. Under the lock.</summary>
    public void PutBack(int member, long now)
    {
        SetOut(member, isOut: false);
        BeginRamp(member, now);
    }

    /// <summary>A member takes sessions again, few at first where the cluster has a slow start. Under the lock.</summary>
    public void BeginRamp(int member, long now) => _ramp.Begin(member, now);

    /// <summary>Takes over whether a member is up by active checks, or by an operator who knows better. Under the lock.</summary>
    public void FollowChecks(int member)
    {
        var wasUp = IsUp(member);
        var isUp = _configs[member].Control.Health switch
        {
            OperatorHealth.Up => true,
            OperatorHealth.Down => false,
            _ => Members[member].IsUpByChecks,
        };
        ref var word = ref _down[member >> 6];
        Volatile.Write(ref word, isUp ? word & ~(1UL << member) : word | (1UL << member));
        CountUp(member, wasUp);
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

    private static (DestinationState[] Members, DestinationConfig[] Configs) Choose(ClusterModel model, int tier)
    {
        var numbers = Enumerable.Range(0, model.Destinations.Length).Where(i => model.Tiers[i] == tier).ToArray();
        return ([.. numbers.Select(i => model.Destinations[i])], [.. numbers.Select(i => model.DestinationConfigs[i])]);
    }

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

    private ulong Candidates(int word, bool isPanic) => isPanic ? _enabled[word] : _enabled[word] & ~Volatile.Read(ref _down[word]);

    private bool IsUp(int member) => ((_out[member >> 6] | _down[member >> 6]) & (1UL << member)) == 0;

    private bool IsCounted(int member) => _configs[member].Control.IsCounted;

    /// <summary>Failures take nobody out who is up because an operator says so.</summary>
    private bool MayBeOut(int member) => _configs[member].Control.Health != OperatorHealth.Up;

    private void CountUp(int member, bool wasUp)
    {
        if (IsCounted(member) && IsUp(member) != wasUp)
        {
            _pool.CountUp(!wasUp);
        }
    }

    private bool IsMarkedOut(int member) => (_out[member >> 6] & (1UL << member)) != 0;

    private void UpdateRamp(long now)
    {
        lock (_gate)
        {
            _ramp.Update(now);
        }
    }

    /// <summary>Members in their slow start let some of their turns pass to the others. Under the lock.</summary>
    private int NextInTurnOfRamp(MemberSet among)
    {
        var words = among.WordCount;
        var left = new MemberSet(words <= MemberSet.MaxStackWords ? stackalloc ulong[words] : new ulong[words]);
        for (var word = 0; word < words; word++)
        {
            left.SetWord(word, among.Word(word));
        }

        var last = -1;
        while (_turns.Next(left) is >= 0 and var member)
        {
            if (_ramp.TakesTurn(member))
            {
                return member;
            }

            left.Remove(member);
            last = member;
        }

        // Nobody else is there.
        return last;
    }

    private void SetOut(int member, bool isOut)
    {
        Members[member].SetOut(isOut);
        if (IsCounted(member) && isOut != IsMarkedOut(member))
        {
            _pool.CountOut(isOut);
        }

        var wasUp = IsUp(member);
        ref var word = ref _out[member >> 6];
        Volatile.Write(ref word, isOut ? word | (1UL << member) : word & ~(1UL << member));
        CountUp(member, wasUp);
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
