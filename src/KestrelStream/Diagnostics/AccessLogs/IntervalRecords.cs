using KestrelStream.Sessions;

namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>
/// Finds the sessions for which another interval is over: by looking at all of them now and then, so that no session has a clock for it. Made and ended by
/// <see cref="AccessLog"/>; runs on the thread pool.
/// </summary>
internal sealed class IntervalRecords : IDisposable
{
    /// <summary>Records are late by a tenth of the interval at most, and no later than this.</summary>
    private static readonly TimeSpan s_latest = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan s_soonest = TimeSpan.FromMilliseconds(50);

    private readonly SessionTable _sessions;
    private readonly TimeSpan _interval;
    private readonly Action<StreamSession> _write;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private int _isLooking;

    /// <param name="sessions">All that run.</param>
    /// <param name="interval">From accept to the first record, and on to the next.</param>
    /// <param name="write">Writes one.</param>
    /// <param name="time">The clock.</param>
    public IntervalRecords(SessionTable sessions, TimeSpan interval, Action<StreamSession> write, TimeProvider time)
    {
        _sessions = sessions;
        _interval = interval;
        _write = write;
        _time = time;
        var every = TimeSpan.FromTicks(Math.Clamp(interval.Ticks / 10, s_soonest.Ticks, s_latest.Ticks));
        _timer = time.CreateTimer(static state => ((IntervalRecords)state!).Look(), this, every, every);
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        // One that takes long (very many sessions) is not overtaken by the next.
        if (Interlocked.Exchange(ref _isLooking, 1) != 0)
        {
            return;
        }

        foreach (var session in _sessions.Snapshot())
        {
            if (session.Trace is { } trace && _time.GetElapsedTime(session.StartTimestamp).Ticks / _interval.Ticks is var passed && passed > trace.Intervals)
            {
                lock (trace)
                {
                    trace.Intervals = (int)passed;
                    if (!trace.HasEnded && session.Phase != SessionPhase.Closed)
                    {
                        _write(session);
                    }
                }
            }
        }

        Volatile.Write(ref _isLooking, 0);
    }
}
