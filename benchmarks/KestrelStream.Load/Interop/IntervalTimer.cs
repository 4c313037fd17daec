using System.Runtime.InteropServices;

namespace KestrelStream.Load.Interop;

/// <summary>A timerfd that becomes readable at a fixed interval: exact to some microseconds, where the time-out of epoll_wait counts in milliseconds.</summary>
internal sealed unsafe partial class IntervalTimer : IDisposable
{
    private const string Library = "libc";
    private const int ClockMonotonic = 1;
    private const int NonBlockCloseOnExec = 0x80800;
    private const long NanosecondsPerSecond = 1_000_000_000;

    public int Descriptor { get; } = timerfd_create(ClockMonotonic, NonBlockCloseOnExec);

    /// <summary>Starts it; the first time it is due is one interval from now.</summary>
    public bool Start(long nanoseconds)
    {
        long* interval = stackalloc long[4];
        interval[0] = interval[2] = nanoseconds / NanosecondsPerSecond;
        interval[1] = interval[3] = nanoseconds % NanosecondsPerSecond;
        return timerfd_settime(Descriptor, 0, interval, null) == 0;
    }

    /// <summary>Makes it unreadable until it is due again.</summary>
    public void Acknowledge()
    {
        ulong expirations;
        _ = read(Descriptor, &expirations, sizeof(ulong));
    }

    public void Dispose() => _ = Libc.Close(Descriptor);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int timerfd_create(int clock, int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int timerfd_settime(int timer, int flags, long* next, long* previous);

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint read(int descriptor, void* buffer, nuint length);
}
