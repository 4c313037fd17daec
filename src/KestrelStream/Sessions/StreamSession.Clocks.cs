using KestrelStream.Model;

namespace KestrelStream.Sessions;

/// <content>Its phases and their clocks: one node of the wheel, moved from deadline to deadline.</content>
internal sealed partial class StreamSession
{
    /// <summary>How often a session in a queue looks whether its client is still there: nobody receives from it meanwhile.</summary>
    private const int QueueLookMilliseconds = 300;

    private long _deadline;
    private long _lifetimeDeadline = long.MaxValue;
    private long _lastActivity;
    private int _phase;
    private TaskCompletionSource<bool>? _wait;
    private QueuedSession? _place;

    public SessionPhase Phase => (SessionPhase)Volatile.Read(ref _phase);

    /// <summary>Whether the dial under way was given up by its own clock.</summary>
    public bool DialTimedOut { get; private set; }

    /// <summary>Ended by the clock after <see cref="Configuration.ListenerConfig.ServerFirstAfter"/>; set only on listeners with such a route.</summary>
    public TaskCompletionSource? Silence
    {
        get => _rare?.Silence;
        set => Rare.Silence = value;
    }

    private long SilenceMilliseconds => (long)ListenerModel.Config.ServerFirstAfter.TotalMilliseconds;

    /// <summary>Enters a phase whose clock runs from now. <see cref="Timeout.InfiniteTimeSpan"/> = no clock.</summary>
    public void Enter(SessionPhase phase, TimeSpan timeout)
    {
        Volatile.Write(ref _phase, (int)phase);
        DialTimedOut = false;
        var now = Environment.Clock.Now;
        _deadline = Deadline(now, timeout);
        if (phase == SessionPhase.Preread && Silence is not null)
        {
            Schedule(Math.Min(_deadline, now + SilenceMilliseconds));
            return;
        }

        if (phase == SessionPhase.Queue)
        {
            Schedule(Math.Min(_deadline, now + QueueLookMilliseconds));
            return;
        }

        Schedule(_deadline);
    }

    /// <summary>Waits for a slot. Whatever ends the session meanwhile makes it leave the queue.</summary>
    public void EnterQueue(QueuedSession place)
    {
        Volatile.Write(ref _place, place);
        Enter(SessionPhase.Queue, place.Timeout);
        if (HasEnded)
        {
            // Before it could be seen that there is a place to leave.
            place.Leave();
        }
    }

    /// <summary>Its turn has come, or it has left.</summary>
    public void LeaveQueue() => Volatile.Write(ref _place, null);

    /// <summary>Waits, at most until something ends the session. Goes on wherever: the caller knows where it belongs.</summary>
    public ValueTask<bool> PauseAsync(TimeSpan time)
        => WaitAsync(new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously), SessionPhase.Delay, time);

    /// <summary>Waits for somebody else's word, in a phase with a clock. False = something has ended the session.</summary>
    public async ValueTask<bool> WaitAsync(TaskCompletionSource<bool> turn, SessionPhase phase, TimeSpan timeout)
    {
        Volatile.Write(ref _wait, turn);
        Enter(phase, timeout);
        if (HasEnded)
        {
            // Before it could be seen that there is somebody who waits.
            turn.TrySetResult(false);
        }

        var result = await turn.Task;
        Volatile.Write(ref _wait, null);
        return result;
    }

    /// <summary>The route's own lifetime clock, counted from accept.</summary>
    public void LimitLifetime(TimeSpan lifetime, TimeSpan age) => _lifetimeDeadline = Deadline(Environment.Clock.Now, lifetime - age);

    /// <summary>Starts the relay's clocks: any byte either way moves the idle one.</summary>
    public void EnterRelay()
    {
        Volatile.Write(ref _phase, (int)SessionPhase.Relay);
        Trace?.RelayBegins(this);
        Touch();
        _deadline = Deadline(_lastActivity, Route!.Config.IdleTimeout);
        Schedule(_deadline);
    }

    /// <summary>A byte moved.</summary>
    public void Touch() => Volatile.Write(ref _lastActivity, Environment.Clock.Now);

    /// <summary>One side has ended its sending; the rest is bounded by the half-close clock.</summary>
    public bool IsHalfClosed { get; private set; }

    public void HalfClosed()
    {
        IsHalfClosed = true;
        Touch();
        Schedule(RelayDeadline());
    }

    /// <summary>No clock any more.</summary>
    public void Leave()
    {
        Volatile.Write(ref _phase, (int)SessionPhase.Closed);
        Environment.Clock.Cancel(this);
    }

    public override void OnDue(long nowMilliseconds)
    {
        if (nowMilliseconds >= _lifetimeDeadline && Phase is SessionPhase.Delay or SessionPhase.Handshake or SessionPhase.Queue or SessionPhase.Dial or SessionPhase.Relay)
        {
            Abort(SessionEndReason.LifetimeExceeded);
            return;
        }

        switch (Phase)
        {
            case SessionPhase.Preread when nowMilliseconds < _deadline:
                // Only the silence is over; the preread clock goes on.
                Silence?.TrySetResult();
                Schedule(_deadline);
                break;

            case SessionPhase.Preread:
                // The handler sees the end of receiving, and says goodbye with an alert where one fits.
                TryEnd(SessionEndReason.PrereadTimeout);
                Transport.StopReceiving();
                break;

            case SessionPhase.ProxyHeader:
                Abort(SessionEndReason.ProxyHeaderTimeout);
                break;

            case SessionPhase.Delay:
                Volatile.Read(ref _wait)?.TrySetResult(true);
                break;

            case SessionPhase.Handshake:
                Abort(SessionEndReason.ClientTlsTimeout);
                break;

            case SessionPhase.Queue:
                QueueDue(nowMilliseconds);
                break;

            case SessionPhase.Dial:
                DialTimedOut = true;
                Upstream?.Reset();
                break;

            case SessionPhase.Relay:
                RelayDue(nowMilliseconds);
                break;

            case SessionPhase.Refuse:
                // One of the two is to read an alert; the other was reset before.
                Transport.Close();
                Upstream?.Close();
                break;
        }
    }

    private void QueueDue(long now)
    {
        if (now >= _deadline)
        {
            TryEnd(SessionEndReason.QueueTimeout);
            Volatile.Read(ref _place)?.Leave();
        }
        else if (ClientHasLeft())
        {
            TryEnd(SessionEndReason.ClientGone);
            Volatile.Read(ref _place)?.Leave();
        }
        else
        {
            Schedule(Math.Min(_deadline, now + QueueLookMilliseconds));
        }
    }

    private void RelayDue(long now)
    {
        var deadline = RelayDeadline();
        if (now < deadline)
        {
            Schedule(deadline);
            return;
        }

        if (IsHalfClosed)
        {
            Abort(SessionEndReason.HalfCloseTimeout);
        }
        else if (Volatile.Read(ref _sending) != 0)
        {
            Abort(SessionEndReason.IdleTimeout);
        }
        else if (TryEnd(SessionEndReason.IdleTimeout))
        {
            // Nothing is under way: a clean end, as nginx does.
            Transport.Close();
            Upstream?.Close();
        }
    }

    private long RelayDeadline()
    {
        var config = Route!.Config;
        var idle = Deadline(Volatile.Read(ref _lastActivity), config.IdleTimeout);
        return IsHalfClosed ? Math.Min(idle, Deadline(Volatile.Read(ref _lastActivity), config.HalfCloseTimeout)) : idle;
    }

    private void Schedule(long deadline)
    {
        var due = Math.Min(deadline, _lifetimeDeadline);
        if (due == long.MaxValue)
        {
            Environment.Clock.Cancel(this);
        }
        else
        {
            Environment.Clock.Schedule(this, due);
        }
    }

    private static long Deadline(long from, TimeSpan timeout)
        => timeout == Timeout.InfiniteTimeSpan ? long.MaxValue : from + timeout.Ticks / TimeSpan.TicksPerMillisecond;
}
