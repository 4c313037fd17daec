namespace KestrelStream.Transport.EventLoop;

/// <summary>
/// When a loop's steps of handshakes go to its <see cref="Tls.OpenSsl.HandshakeHelper"/>, by what steps take, what else the loop moves and what the helper gets done.
/// Knows no clock: times are the loop's, in milliseconds. Not thread-safe.
/// </summary>
internal sealed class HelperSchedule
{
    /// <summary>The time that steps take is added up for so long.</summary>
    public const int WindowMilliseconds = 100;

    /// <summary>Nanoseconds of steps in a window that crowd the loop: a tenth of it. One message in ten would wait.</summary>
    public const long Crowd = NanosecondsPerMillisecond * WindowMilliseconds / 10;

    /// <summary>For so long the loop is taken to be crowded still.</summary>
    public const int CrowdedMilliseconds = 2000;

    /// <summary>Bytes that were moved longer ago say nothing of the next.</summary>
    public const int TrafficMilliseconds = 1000;

    /// <summary>So long the helper has got nothing done: it does not run. The compiler alone may keep it from running for 50 ms and more.</summary>
    public const int StallMilliseconds = 200;

    /// <summary>For how long it is not asked then: at first, and at most. Doubled each time that it is no better afterwards.</summary>
    public const int ShortestRest = 1000, LongestRest = 64_000;

    /// <summary>Most of a turn that counts as time the helper has had: the whole process may have stood still, for a collection of garbage.</summary>
    public const int LongestTurn = 2;

    /// <summary>Of the loop's time, when the helper does not get as much done.</summary>
    private const int OwedPart = 4;

    private const long NanosecondsPerMillisecond = 1_000_000;

    /// <summary>What is owed after 100 ms in which the helper got nothing done. Less comes and goes.</summary>
    private const long MuchOwed = NanosecondsPerMillisecond * 100 / OwedPart;

    private long _now;
    private long _lastTraffic = -TrafficMilliseconds;
    private long _windowEnd;
    private long _spent;
    private long _crowdedUntil;
    private long _owed;
    private long _stalled;
    private long _restUntil = -ShortestRest;
    private long _rest = ShortestRest;

    /// <summary>Steps crowd the loop, something else has bytes to move, and the helper, as far as is known, gets to run.</summary>
    public bool WantsHelper => _now < _crowdedUntil && _now - _lastTraffic < TrafficMilliseconds && _now >= _restUntil;

    /// <summary>The helper gets so little done that the loop is to take steps too.</summary>
    public bool OwesSteps => _owed >= MuchOwed;

    /// <summary>In this turn bytes were moved, of a session that has not only just shaken hands.</summary>
    public void NoteTraffic() => _lastTraffic = _now;

    /// <summary>A step was taken, here or by the helper.</summary>
    /// <param name="nanoseconds">Processor time.</param>
    public void StepTaken(long nanoseconds)
    {
        _spent += nanoseconds;
        _owed = Math.Max(0, _owed - nanoseconds);
    }

    /// <summary>The helper gets something done.</summary>
    public void HelperRuns() => _stalled = 0;

    /// <summary>A turn begins.</summary>
    /// <param name="now">When.</param>
    /// <param name="isHelperBusy">It was given what it has not done.</param>
    /// <returns>Whether a window is over.</returns>
    public bool BeginTurn(long now, bool isHelperBusy)
    {
        var turn = Math.Min(now - _now, LongestTurn);
        var isAsked = isHelperBusy && WantsHelper;
        _now = now;
        if (isAsked)
        {
            WatchHelper(turn);
        }

        if (now < _windowEnd)
        {
            return false;
        }

        if (_spent >= Crowd)
        {
            _crowdedUntil = now + CrowdedMilliseconds;
        }

        _spent = 0;
        _windowEnd = now + WindowMilliseconds;
        return true;
    }

    private void WatchHelper(long milliseconds)
    {
        _owed = Math.Min(_owed + milliseconds * NanosecondsPerMillisecond / OwedPart, 2 * MuchOwed);
        _stalled += milliseconds;
        if (_stalled >= StallMilliseconds)
        {
            _stalled = 0;
            _rest = _now - _restUntil < ShortestRest ? Math.Min(2 * _rest, LongestRest) : ShortestRest;
            _restUntil = _now + _rest;
        }
    }
}
