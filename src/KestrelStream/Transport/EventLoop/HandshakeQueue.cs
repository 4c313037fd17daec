using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Transport.EventLoop;

/// <summary>
/// Who may take a step of a TLS handshake, when, and on which thread. A step takes 0.2 ms with an ECDSA key, 1 ms with RSA, and cannot be interrupted:
/// everything else of the loop would wait for it. On the loop's thread only, but for what is counted.
/// </summary>
/// <remarks>
/// Steps are taken on the loop, one a turn and last in it: nothing is cheaper. When they take much of its time and other sessions move bytes beside
/// them, the loop gives them to a thread of lowest priority (<see cref="HandshakeHelper"/>), from which the kernel takes the processor as soon as the loop
/// has something to do. A busy machine lets that one hardly run: then the loop takes steps beside it, a quarter of its time, and where it does not run at all,
/// every step, for a while.
/// </remarks>
internal sealed class HandshakeQueue(EventLoop loop, int index, DescriptorBudget descriptors) : IDisposable
{
    /// <summary>More turns cost 1 µs each. With two steps a turn, small messages waited twice as long beside a flood of hellos (benchmarks/front).</summary>
    private const int MaxStepsPerTurn = 1;

    /// <summary>More clients wait in the kernel's queue: they keep no memory of ours there.</summary>
    private const int MaxWaiting = 512;

    /// <summary>Accepting goes on then.</summary>
    private const int RoomAgain = MaxWaiting / 2;

    /// <summary>The time that steps take is added up for so long.</summary>
    private const int WindowMilliseconds = 100;

    /// <summary>And after so much it is so again, or is taken to be for so long.</summary>
    private const int CrowdedMilliseconds = 2000;

    /// <summary>Bytes that were moved longer ago say nothing of the next.</summary>
    private const int TrafficMilliseconds = 1000;

    /// <summary>Of the loop's time, when the helper does not get as much done.</summary>
    private const int OwedPart = 4;

    /// <summary>So long the helper has got nothing done of what it was given: it does not run. The compiler alone may keep it from running for 50 ms and more.</summary>
    private const int StallMilliseconds = 200;

    /// <summary>For how long it is not asked then: at first, and at most. Doubled each time.</summary>
    private const int ShortestRest = 1000, LongestRest = 64_000;

    /// <summary>Most of a turn that counts as time the helper has had: the whole process may have stood still, for a collection of garbage.</summary>
    private const int MostOfTurn = 2;

    private const long NanosecondsPerMillisecond = 1_000_000;

    /// <summary>Nanoseconds of steps in a window that are much: a tenth of it. One message in ten would wait.</summary>
    private const long Much = NanosecondsPerMillisecond * WindowMilliseconds / 10;

    /// <summary>What is owed after 100 ms in which the helper got nothing done: less comes and goes, when the compiler is at work or garbage is collected.</summary>
    private const long OwedTooLong = NanosecondsPerMillisecond * 100 / OwedPart;

    private readonly Queue<LoopOperation> _waiting = new();
    private readonly Queue<LoopAcceptor> _paused = new();
    private HandshakeHelper? _helper;
    private int _steps;
    private long _spent;
    private long _owed;
    private long _now;
    private long _stalled;
    private long _restUntil;
    private long _rest = ShortestRest;
    private long _windowEnd;
    private long _lastTraffic = -TrafficMilliseconds;
    private long _crowdedUntil;
    private bool _isOwn;
    private long _ownSteps;
    private long _helperSteps;

    /// <summary>More handshakes have something to do than get to it in one turn.</summary>
    public bool HasWaiting => _waiting.Count > 0;

    /// <summary>So many that no more are to be accepted.</summary>
    public bool IsFull => _waiting.Count >= MaxWaiting;

    /// <summary>How long the loop may sleep for the sake of handshakes; −1 = as long as it likes.</summary>
    public int Timeout => IsElsewhere ? _helper!.IsBusy ? 1 : -1 : _waiting.Count == 0 ? -1 : 0;

    /// <summary>How it is doing. From any thread.</summary>
    public HandshakeReading Read() => new(index, _waiting.Count, Volatile.Read(ref _ownSteps), Volatile.Read(ref _helperSteps));

    /// <summary>Bytes were moved, of a session that has not only just shaken hands: handshakes must not be in their way.</summary>
    public void NoteTraffic() => _lastTraffic = loop.Clock.Now;

    /// <summary>Accepts no more until there is room.</summary>
    public void Pause(LoopAcceptor acceptor) => _paused.Enqueue(acceptor);

    /// <summary>Ends when a step may be taken, in the order of asking; it is to be taken then.</summary>
    public ValueTask<IOStatus> TurnAsync()
    {
        if (_waiting.Count == 0 && !IsElsewhere && _steps++ < MaxStepsPerTurn)
        {
            return ValueTask.FromResult(IOStatus.Ok);
        }

        var operation = loop.RentOperation().Begin(LoopOperationKind.HandshakeStep);
        _waiting.Enqueue(operation);
        return operation.Status;
    }

    /// <summary>For a step that may be taken now: what takes it elsewhere, once <see cref="RunAsync"/> is called. Null = it is to be taken here.</summary>
    public HandshakeSlot? Elsewhere() => IsElsewhere && !_isOwn ? _helper!.NextSlot : null;

    /// <summary>Ends when the step was taken, elsewhere.</summary>
    public ValueTask<IOStatus> RunAsync(HandshakeSlot slot)
    {
        var operation = loop.RentOperation().Begin(LoopOperationKind.HandshakeStep);
        slot.Waiter = operation;
        _helper!.Give();
        return operation.Status;
    }

    /// <summary>A step was taken here.</summary>
    /// <param name="nanoseconds">How long it took.</param>
    public void Taken(long nanoseconds)
    {
        _ownSteps++;
        Account(nanoseconds);
    }

    public void BeginTurn()
    {
        _steps = 0;
        var now = loop.Clock.Now;
        if (IsElsewhere && _helper!.IsBusy)
        {
            Watch(Math.Min(now - _now, MostOfTurn));
        }

        _now = now;
        if (now >= _windowEnd)
        {
            if (_spent >= Much)
            {
                _crowdedUntil = now + CrowdedMilliseconds;
            }

            _spent = 0;
            _windowEnd = now + WindowMilliseconds;
            if (IsCrowded && HasTraffic)
            {
                _helper ??= HandshakeHelper.TryStart(loop, index, descriptors);
            }
        }
    }

    /// <summary>At the end of a turn.</summary>
    public void EndTurn()
    {
        TakeBack();
        if (!IsElsewhere)
        {
            Run(MaxStepsPerTurn - _steps);
        }
        else
        {
            while (_helper!.NextSlot is not null && _waiting.TryDequeue(out var next))
            {
                Complete(next);
            }

            if (_owed >= OwedTooLong)
            {
                _isOwn = true;
                Run(1);
                _isOwn = false;
            }
        }

        while (_waiting.Count <= RoomAgain && _paused.TryDequeue(out var acceptor))
        {
            acceptor.Resume();
        }
    }

    /// <summary>All that wait go on, to see that their connections are closed.</summary>
    public void Dispose()
    {
        _helper?.Stop();
        TakeBack();
        _helper?.Dispose();
        _helper = null;
        Run(int.MaxValue);
    }

    private bool HasTraffic => _now - _lastTraffic < TrafficMilliseconds;

    private bool IsCrowded => _now < _crowdedUntil;

    private bool IsElsewhere => IsCrowded && _helper is not null && HasTraffic && _now >= _restUntil;

    /// <summary>How the helper gets on.</summary>
    private void Watch(long milliseconds)
    {
        _owed = Math.Min(_owed + milliseconds * NanosecondsPerMillisecond / OwedPart, 2 * OwedTooLong);
        _stalled += milliseconds;
        if (_stalled >= StallMilliseconds)
        {
            // Not long after it was asked again: it is as before.
            _rest = _now - _restUntil < ShortestRest ? Math.Min(2 * _rest, LongestRest) : ShortestRest;
            _restUntil = _now + _rest;
            _stalled = 0;
        }
    }

    private void TakeBack()
    {
        while (_helper?.TakeBack() is { } slot)
        {
            _helperSteps++;
            _stalled = 0;
            Account(slot.Nanoseconds);
            Complete(slot.Waiter!);
        }
    }

    private void Account(long nanoseconds)
    {
        _spent += nanoseconds;
        _owed = Math.Max(0, _owed - nanoseconds);
    }

    private void Run(int steps)
    {
        // Those that queue meanwhile are behind all others.
        for (; steps > 0 && _waiting.TryDequeue(out var next); steps--)
        {
            _steps = MaxStepsPerTurn;
            Complete(next);
        }
    }

    private static void Complete(LoopOperation operation) => operation.Complete(new IOResult(0, IOStatus.Ok), onPool: false);
}
