namespace KestrelStream.Health;

/// <summary>
/// nginx's passive account of one destination (<c>fails</c>, <c>accessed</c>, <c>checked</c> of ngx_stream_upstream_rr_peer_t), and how
/// often in a row it was taken out. Mutable; written under the cluster's lock only. What reads it without the lock may see a value that is
/// just being replaced, so whoever takes a destination asks again under the lock (<see cref="TryClaim"/>).
/// </summary>
/// <remarks>
/// <code>
///            failure: fails+1, accessed = checked = now
///   in ──────────────────────────────────────────────▶ fails ≥ MaxFails: out
///   ▲                                                        │ more than the penalty after `checked`
///   │ success, if accessed &lt; checked: fails = 0              ▼
///   └───────────────────────────── one trial: checked = now (out for the others again)
/// </code>
/// Ordinary successes do not clear failures: they count again once a session was sent here more than FailTimeout after the last one.
/// The penalty is FailTimeout, as in nginx, unless MaxFailTimeout lets it grow. nginx's clock has whole seconds, so its penalties last up to
/// a second longer.
/// </remarks>
internal struct FailureAccount
{
    private int _fails;
    private int _rounds;
    private long _accessed;
    private long _checked;
    private long _back;

    public readonly int Fails => Volatile.Read(in _fails);

    /// <summary>Times in a row that it was taken out or kept out.</summary>
    public readonly int Rounds => _rounds;

    /// <summary>When it last failed or was given a trial.</summary>
    public readonly long Checked => Volatile.Read(in _checked);

    /// <summary>Failed too often, and no success since. Whether it is taken out for that is not decided here.</summary>
    public readonly bool IsSpent(PassiveHealthModel passive) => passive.IsOn && Fails >= passive.MaxFails;

    /// <summary>The time after the last failure, or after the last trial was given out, is over.</summary>
    public readonly bool IsTrialDue(PassiveHealthModel passive, long now)
        => now - Checked > (IsSpent(passive) ? passive.PenaltyOf(_rounds) : passive.Window);

    /// <summary>Notes that a session has chosen the destination. False when it must not: it is out, and another session has the trial.</summary>
    public bool TryClaim(PassiveHealthModel passive, long now, bool isOut)
    {
        if (IsTrialDue(passive, now))
        {
            Volatile.Write(ref _checked, now);
            return true;
        }

        return !isOut;
    }

    /// <summary>True when it was the trial that failed.</summary>
    public bool RecordFailure(long now)
    {
        var wasTrial = _accessed < _checked;
        Volatile.Write(ref _accessed, now);
        Volatile.Write(ref _checked, now);
        if (_fails < int.MaxValue)
        {
            Volatile.Write(ref _fails, _fails + 1);
        }

        return wasTrial;
    }

    /// <summary>It was taken out, or stays out because its trial has failed. After a good time as long as the longest penalty the count begins again.</summary>
    public void RecordRound(PassiveHealthModel passive, long now, bool wasOut)
        => _rounds = wasOut || now - _back <= passive.MaxWindow ? Math.Min(_rounds, int.MaxValue - 1) + 1 : 1;

    /// <summary>True when it cleared the failures.</summary>
    public bool RecordSuccess(long now)
    {
        if (_fails == 0 || _accessed >= _checked)
        {
            return false;
        }

        Volatile.Write(ref _fails, 0);
        _back = now;
        return true;
    }

    /// <summary>Nobody keeps the account any more.</summary>
    public void Reset()
    {
        Volatile.Write(ref _fails, 0);
        _rounds = 0;
    }
}
