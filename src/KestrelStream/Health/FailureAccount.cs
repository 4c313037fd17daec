namespace KestrelStream.Health;

/// <summary>
/// nginx's passive account of one destination (<c>fails</c>, <c>accessed</c>, <c>checked</c> of ngx_stream_upstream_rr_peer_t).
/// Mutable; written under the cluster's lock only. What reads it without the lock may see a value that is just being replaced,
/// so whoever takes a destination asks again under the lock (<see cref="TryClaim"/>).
/// </summary>
/// <remarks>
/// <code>
///            failure: fails+1, accessed = checked = now
///   in ──────────────────────────────────────────────▶ fails ≥ MaxFails: out
///   ▲                                                        │ more than FailTimeout after `checked`
///   │ success, if accessed &lt; checked: fails = 0              ▼
///   └───────────────────────────── one trial: checked = now (out for the others again)
/// </code>
/// Ordinary successes do not clear failures: they count again once a session was sent here more than FailTimeout after the last one.
/// nginx's clock has whole seconds, so its penalties last up to a second longer.
/// </remarks>
internal struct FailureAccount
{
    private int _fails;
    private long _accessed;
    private long _checked;

    public readonly int Fails => Volatile.Read(in _fails);

    /// <summary>When it last failed or was given a trial.</summary>
    public readonly long Checked => Volatile.Read(in _checked);

    /// <summary>Failed too often, and no success since. A trial may be due.</summary>
    public readonly bool IsOut(PassiveHealthModel passive) => passive.IsOn && Fails >= passive.MaxFails;

    /// <summary>The window after the last failure, or after the last trial was given out, is over.</summary>
    public readonly bool IsTrialDue(PassiveHealthModel passive, long now)
        => now - Checked > passive.Window;

    /// <summary>Notes that a session has chosen the destination. False when it must not: it is out, and another session has the trial.</summary>
    public bool TryClaim(PassiveHealthModel passive, long now)
    {
        if (IsTrialDue(passive, now))
        {
            Volatile.Write(ref _checked, now);
            return true;
        }

        return !IsOut(passive);
    }

    public void RecordFailure(long now)
    {
        Volatile.Write(ref _accessed, now);
        Volatile.Write(ref _checked, now);
        Volatile.Write(ref _fails, _fails + 1);
    }

    /// <summary>True when it cleared the failures.</summary>
    public bool RecordSuccess()
    {
        if (_fails == 0 || _accessed >= _checked)
        {
            return false;
        }

        Reset();
        return true;
    }

    public void Reset() => Volatile.Write(ref _fails, 0);
}
