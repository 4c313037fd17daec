using KestrelStream.Sessions;

namespace KestrelStream.Limits;

/// <summary>
/// Holds one direction of a session to so many bytes a second, after a burst of one second. Made only where there is a limit; used by its direction alone. What it
/// waits for is on the clock of its session's environment.
/// </summary>
internal sealed class Throttle : TimerNode
{
    /// <summary>One who has used everything up goes on with so much at least, as a part of a second: not byte by byte.</summary>
    private const int Quanta = 10;

    private readonly long _bytesPerSecond;
    private readonly long _quantum;
    private readonly SessionClock _clock;
    private readonly Action? _resume;
    private TaskCompletionSource? _turn;
    private long _left;
    private long _filled;
    private bool _isPaused;

    private Throttle(int bytesPerSecond, SessionClock clock, Action? resume)
    {
        _bytesPerSecond = bytesPerSecond;
        _quantum = Math.Max(1, bytesPerSecond / Quanta);
        _left = bytesPerSecond;
        _clock = clock;
        _filled = clock.Now;
        _resume = resume;
    }

    /// <summary>Null = no limit.</summary>
    /// <param name="bytesPerSecond">0 = no limit.</param>
    /// <param name="clock">Of the session's environment.</param>
    /// <param name="resume">Called, where the clock calls, when a direction that was paused may go on; null = it waits by <see cref="WaitAsync"/>.</param>
    public static Throttle? Create(int bytesPerSecond, SessionClock clock, Action? resume = null) => bytesPerSecond == 0 ? null : new Throttle(bytesPerSecond, clock, resume);

    /// <summary>How much may be received now. 0 = nothing: it is paused, and will be told when it may go on.</summary>
    public int Allow(int most)
    {
        var now = _clock.Now;
        var filled = (now - _filled) * _bytesPerSecond / 1000;
        if (filled > 0)
        {
            // Not to now: what has not made a whole byte yet is kept.
            _left = Math.Min(_bytesPerSecond, _left + filled);
            _filled = _left == _bytesPerSecond ? now : _filled + filled * 1000 / _bytesPerSecond;
        }

        var needed = _isPaused ? _quantum : 1;
        _isPaused = _left < needed;
        if (!_isPaused)
        {
            return (int)Math.Min(most, _left);
        }

        _turn = _resume is null ? new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously) : null;
        _clock.Schedule(this, now + (((_quantum - _left) * 1000) + _bytesPerSecond - 1) / _bytesPerSecond);
        return 0;
    }

    /// <summary>So much was received.</summary>
    public void Take(int bytes) => _left -= bytes;

    /// <summary>Ends when a paused direction may go on.</summary>
    public Task WaitAsync() => _turn!.Task;

    /// <summary>The direction is over.</summary>
    public void Cancel() => _clock.Cancel(this);

    public override void OnDue(long nowMilliseconds)
    {
        _turn?.TrySetResult();
        _resume?.Invoke();
    }
}
