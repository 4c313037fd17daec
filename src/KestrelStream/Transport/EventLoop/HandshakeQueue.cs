using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Transport.EventLoop;

/// <summary>
/// Who may take a step of a TLS handshake, when, and on which thread. A step takes 0.2 ms with an ECDSA key, 1 ms with RSA, and cannot be interrupted:
/// everything else of the loop would wait for it. On the loop's thread only, but for <see cref="Read"/>.
/// </summary>
/// <remarks>
/// Steps are taken on the loop, one a turn and last in it: nothing is cheaper. When they take much of its time and other sessions move bytes beside
/// them, the loop gives them to a thread of lowest priority (<see cref="HandshakeHelper"/>), from which the kernel takes the processor as soon as the loop
/// has something to do. A busy machine lets that one hardly run: then the loop takes steps beside it, a quarter of its time, and where it does not run at all,
/// every step, for a while (<see cref="HelperSchedule"/>).
/// </remarks>
internal sealed class HandshakeQueue(EventLoop loop, int index, DescriptorBudget descriptors) : IDisposable
{
    /// <summary>More turns cost 1 µs each. With two steps a turn, small messages waited twice as long beside a flood of hellos (benchmarks/front).</summary>
    private const int MaxStepsPerTurn = 1;

    /// <summary>More clients wait in the kernel's queue: they keep no memory of ours there.</summary>
    private const int MaxWaiting = 512;

    /// <summary>Accepting goes on then.</summary>
    private const int RoomAgain = MaxWaiting / 2;

    private readonly Queue<LoopOperation> _waiting = new();
    private readonly Queue<LoopAcceptor> _paused = new();
    private readonly HelperSchedule _schedule = new();
    private HandshakeHelper? _helper;
    private int _steps;
    private bool _isOwn;
    private long _ownSteps;
    private long _helperSteps;

    /// <summary>More handshakes have something to do than get to it in one turn.</summary>
    public bool HasWaiting => _waiting.Count > 0;

    /// <summary>So many that no more are to be accepted.</summary>
    public bool IsFull => _waiting.Count >= MaxWaiting;

    /// <summary>How long the loop may sleep for the sake of handshakes; −1 = as long as it likes.</summary>
    public int Timeout => IsElsewhere ? (_helper!.IsBusy ? 1 : -1) : HasWaiting ? 0 : -1;

    /// <summary>How it is doing. From any thread.</summary>
    public HandshakeReading Read() => new(index, _waiting.Count, Volatile.Read(ref _ownSteps), Volatile.Read(ref _helperSteps));

    /// <summary>Bytes were moved, of a session that has not only just shaken hands: handshakes must not be in their way.</summary>
    public void NoteTraffic() => _schedule.NoteTraffic();

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
        _schedule.StepTaken(nanoseconds);
    }

    public void BeginTurn()
    {
        _steps = 0;
        if (_schedule.BeginTurn(loop.Clock.Now, _helper is { IsBusy: true }) && _schedule.WantsHelper)
        {
            _helper ??= HandshakeHelper.TryStart(loop, index, descriptors);
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

            if (_schedule.OwesSteps)
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

    private bool IsElsewhere => _helper is not null && _schedule.WantsHelper;

    private void TakeBack()
    {
        while (_helper?.TakeBack() is { } slot)
        {
            _helperSteps++;
            _schedule.HelperRuns();
            _schedule.StepTaken(slot.Nanoseconds);
            Complete(slot.Waiter!);
        }
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
