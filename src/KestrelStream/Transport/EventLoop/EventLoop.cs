using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using KestrelStream.Diagnostics;
using KestrelStream.Sessions;
using KestrelStream.Tls.OpenSsl;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Transport.EventLoop;

/// <summary>
/// One thread that waits on one epoll and runs everything of its sessions: accept, set-up, relay, clocks. Owns the table of watched descriptors,
/// the receive buffer that all its connections share, and the clock. Other threads reach it by <see cref="Post"/>; everything else is for its own thread.
/// </summary>
/// <remarks>
/// A turn: wait → events → posted work → relays that have used up their turn, and ends that were put off → a step of a handshake that waits → clock.
/// </remarks>
internal sealed unsafe partial class EventLoop
{
    /// <summary>Shared by all connections of the loop: bytes stay in it only between a receive and the send that follows at once.</summary>
    public const int BufferBytes = 64 * 1024;

    /// <summary>As nginx's epoll_events.</summary>
    private const int MaxEvents = 512;

    /// <summary>Operations kept for reuse; a burst of more falls to the garbage collector.</summary>
    private const int MaxPooled = 1024;

    private const ulong WakeTag = ulong.MaxValue;

    [ThreadStatic]
    private static EventLoop? t_current;

    private readonly ConcurrentQueue<(Action<object?> Callback, object? State)> _posted = new();
    private readonly Queue<IDeferredWork> _deferred = new();
    private readonly Stack<LoopOperation> _operations = new();
    private readonly Stack<RelayPump> _pumps = new();
    private readonly Stack<TlsRelayPump> _tlsPumps = new();
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private readonly int _index;
    private readonly int _epoll;
    private readonly int _wake;
    private TlsBuffers? _tls;
    private Slot[] _slots = new Slot[256];
    private uint _generation;
    private int _isSignalled;
    private volatile bool _isStopping;

    /// <exception cref="IOException">The kernel refuses epoll or eventfd.</exception>
    public EventLoop(int index, DescriptorBudget descriptors, ILogger logger)
    {
        Pipes = new SplicePipePool(descriptors);
        _index = index;
        _logger = logger;
        Clock = new LoopClock(this);
        Meter = new LoopMeter(this, index);
        Handshakes = new HandshakeQueue(this, index, descriptors);
        _epoll = Check(Native.EpollCreate());
        _wake = Native.EventFd();
        if (_wake < 0 || Native.EpollAdd(_epoll, _wake, Native.EPOLLIN | Native.EPOLLET, WakeTag) < 0)
        {
            Native.Close(_epoll);
            throw new IOException("The kernel refuses an eventfd.");
        }

        _thread = new Thread(Run) { Name = $"kestrelstream-loop-{index}", IsBackground = true };
        _thread.Start();
    }

    // Not when the thread ends: another one may be about to signal, and would write into whatever has got the number then.
    ~EventLoop()
    {
        if (_wake > 0)
        {
            Native.Close(_wake);
        }
    }

    public LoopClock Clock { get; }

    public SplicePipePool Pipes { get; }

    public LoopMeter Meter { get; }

    public HandshakeQueue Handshakes { get; }

    /// <summary>Whether the caller is on this loop's thread.</summary>
    public bool IsCurrent
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => t_current == this;
    }

    /// <summary>Pinned; valid until the loop's next receive.</summary>
    public byte* Buffer => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_buffer));

    /// <summary>Made for the first session whose TLS ends here.</summary>
    public TlsBuffers Tls => _tls ??= new TlsBuffers(_index);

    /// <summary>Counts turns.</summary>
    public uint Turn { get; private set; }

    /// <summary>Runs something on the loop's thread, soon. From any thread; does nothing once the loop has stopped.</summary>
    public void Post(Action<object?> callback, object? state)
    {
        _posted.Enqueue((callback, state));
        Wake();
    }

    /// <summary>Lets it take a turn, soon. From any thread.</summary>
    public void Wake()
    {
        if (Interlocked.Exchange(ref _isSignalled, 1) == 0)
        {
            Native.Signal(_wake);
        }
    }

    /// <summary>Ends the thread after what is posted already, and closes what is still watched. Waits for it, except on the loop's own thread.</summary>
    public void Stop()
    {
        _isStopping = true;
        Post(static _ => { }, null);

        // Whoever awaited the last session goes on where it ended: here.
        if (!IsCurrent)
        {
            _thread.Join();
        }
    }

    /// <summary>Watches a descriptor. False = the kernel has no room for it.</summary>
    public bool Add(int fd, ILoopTarget target, uint events)
    {
        if (fd >= _slots.Length)
        {
            Array.Resize(ref _slots, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)fd + 1));
        }

        // The number alone cannot be trusted: it is reused as soon as it is closed, maybe within one batch of events.
        var tag = (ulong)++_generation << 32 | (uint)fd;
        if (Native.EpollAdd(_epoll, fd, events, tag) < 0)
        {
            return false;
        }

        _slots[fd] = new Slot { Tag = tag, Target = target };
        return true;
    }

    public bool Modify(int fd, uint events) => Native.EpollModify(_epoll, fd, events, _slots[fd].Tag) >= 0;

    /// <summary>Forgets a descriptor that is about to be closed: the kernel forgets it by itself then, and events already fetched find nobody.</summary>
    public void Forget(int fd) => _slots[fd] = default;

    /// <summary>Stops watching a descriptor that stays open.</summary>
    public void Remove(int fd)
    {
        Forget(fd);
        Native.EpollRemove(_epoll, fd);
    }

    /// <summary>Work for the end of this turn (or of the next, when it comes from there): not on top of a stack that may not expect it.</summary>
    public void Defer(IDeferredWork work) => _deferred.Enqueue(work);

    public LoopOperation RentOperation() => _operations.TryPop(out var operation) ? operation : new LoopOperation(this);

    public void Return(LoopOperation operation)
    {
        // Awaited to its end on another thread: the pool is the loop's alone.
        if (IsCurrent && _operations.Count < MaxPooled)
        {
            _operations.Push(operation);
        }
    }

    public RelayPump RentPump() => _pumps.TryPop(out var pump) ? pump : new RelayPump(this);

    public void Return(RelayPump pump)
    {
        if (IsCurrent && _pumps.Count < MaxPooled)
        {
            _pumps.Push(pump);
        }
    }

    public TlsRelayPump RentTlsPump() => _tlsPumps.TryPop(out var pump) ? pump : new TlsRelayPump(this);

    public void Return(TlsRelayPump pump)
    {
        if (IsCurrent && _tlsPumps.Count < MaxPooled)
        {
            _tlsPumps.Push(pump);
        }
    }

    private void Run()
    {
        t_current = this;
        Meter.Attach();
        var events = (byte*)NativeMemory.Alloc((nuint)(MaxEvents * Native.EpollEventBytes));
        while (!_isStopping)
        {
            var timeout = _deferred.Count > 0 ? 0 : Sooner(Handshakes.Timeout, Clock.NextTimeout());
            var count = Native.EpollWait(_epoll, events, MaxEvents, timeout);
            if (count < 0 && count != -Native.EINTR)
            {
                // Only a defect can do that (the epoll descriptor was closed by someone): no session could go on.
                throw new IOException($"epoll_wait: errno {-count}");
            }

            Turn++;
            Clock.Update();
            Handshakes.BeginTurn();
            for (var i = 0; i < count; i++)
            {
                Dispatch(events + i * Native.EpollEventBytes);
            }

            RunDeferred();
            Handshakes.EndTurn();
            RunDue(Clock.TakeDue());
        }

        RunPosted();
        RunDeferred();
        CloseAll();
        Handshakes.Dispose();
        t_current = null;
        Pipes.CloseAll();
        _tls?.Dispose();
        NativeMemory.Free(events);
        Native.Close(_epoll);
    }

    private void Dispatch(byte* epollEvent)
    {
        var tag = Native.TagOf(epollEvent);
        if (tag == WakeTag)
        {
            RunPosted();
            return;
        }

        ref var slot = ref _slots[(uint)tag];
        if (slot.Tag != tag)
        {
            // Closed earlier in this batch; the number may already be someone else's.
            return;
        }

        var target = slot.Target!;
        try
        {
            target.OnEvents(Native.EventsOf(epollEvent));
        }
        catch (Exception e)
        {
            LogFailed(_logger, e);
            target.OnFailed(e);
        }
    }

    private void RunPosted()
    {
        // Before the queue is emptied: whoever posts from now on signals again. The eventfd is edge-triggered and never read.
        Volatile.Write(ref _isSignalled, 0);
        Interlocked.MemoryBarrier();
        while (_posted.TryDequeue(out var work))
        {
            try
            {
                work.Callback(work.State);
            }
            catch (Exception e)
            {
                LogFailed(_logger, e);
            }
        }
    }

    private void RunDeferred()
    {
        // What is deferred from here on waits for the next turn, so that a busy relay does not keep events waiting.
        for (var count = _deferred.Count; count > 0; count--)
        {
            var work = _deferred.Dequeue();
            try
            {
                work.RunDeferred();
            }
            catch (Exception e)
            {
                LogFailed(_logger, e);
                work.OnFailed(e);
            }
        }
    }

    private void RunDue(TimerNode? due)
    {
        while (due is not null)
        {
            var next = due.Next;
            due.Next = null;
            try
            {
                due.OnDue(Clock.Now);
            }
            catch (Exception e)
            {
                LogFailed(_logger, e);
            }

            due = next;
        }
    }

    private void CloseAll()
    {
        foreach (var slot in _slots)
        {
            (slot.Target as LoopConnection)?.Reset();
        }

        RunDeferred();
    }

    /// <summary>−1 = never.</summary>
    private static int Sooner(int one, int other) => one < 0 ? other : other < 0 ? one : Math.Min(one, other);

    private static int Check(int result) => result >= 0 ? result : throw new IOException($"The kernel refuses epoll: errno {-result}");

    [LoggerMessage(EventIds.LoopFailed, LogLevel.Error, "Work on an event loop failed by a defect of the proxy")]
    private static partial void LogFailed(ILogger logger, Exception exception);

    private struct Slot
    {
        public ulong Tag;
        public ILoopTarget? Target;
    }
}
