using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

// Every P/Invoke of this assembly takes numbers and raw pointers only: no marshalling stub is made.
[assembly: DisableRuntimeMarshalling]

namespace KestrelStream.Transport.EventLoop;

/// <summary>
/// Every call into the C library that the event loop makes, Linux x64 and arm64 (both have the same numbers here). A negative result is an
/// errno. Descriptors are plain numbers: who owns one is said by <see cref="LoopConnection"/> and <see cref="LoopAcceptor"/>. Thread-safe.
/// </summary>
/// <remarks>
/// <para><c>SuppressGCTransition</c> is on calls that never wait: all descriptors here are non-blocking, and SO_LINGER is only ever set to zero.
/// A garbage collection waits for such a call to return, which is at worst the copy of one buffer. <c>epoll_wait</c> sleeps and must not have it.</para>
/// <para>Callers pass pointers that are on the stack, fixed for the call, or pinned for good.</para>
/// </remarks>
internal static unsafe partial class Native
{
    private const string C = "libc";

    public const int EINTR = 4;
    public const int EAGAIN = 11;
    public const int ENOMEM = 12;
    public const int ENOENT = 2;
    public const int EINVAL = 22;
    public const int ENFILE = 23;
    public const int EMFILE = 24;
    public const int EPERM = 1;
    public const int ENONET = 64;
    public const int EPROTO = 71;
    public const int ENOPROTOOPT = 92;
    public const int EOPNOTSUPP = 95;
    public const int EAFNOSUPPORT = 97;
    public const int EADDRNOTAVAIL = 99;
    public const int ENETDOWN = 100;
    public const int ENETUNREACH = 101;
    public const int ECONNABORTED = 103;
    public const int ENOBUFS = 105;
    public const int ENOTCONN = 107;
    public const int ETIMEDOUT = 110;
    public const int ECONNREFUSED = 111;
    public const int EHOSTDOWN = 112;
    public const int EHOSTUNREACH = 113;
    public const int EINPROGRESS = 115;

    public const uint EPOLLIN = 0x001;
    public const uint EPOLLPRI = 0x002;
    public const uint EPOLLOUT = 0x004;
    public const uint EPOLLERR = 0x008;
    public const uint EPOLLHUP = 0x010;
    public const uint EPOLLRDHUP = 0x2000;
    public const uint EPOLLEXCLUSIVE = 1u << 28;
    public const uint EPOLLET = 1u << 31;

    private const int EPOLL_CTL_ADD = 1;
    private const int EPOLL_CTL_DEL = 2;
    private const int EPOLL_CTL_MOD = 3;

    public const int AF_UNIX = 1;
    public const int AF_INET = 2;
    public const int AF_INET6 = 10;

    /// <summary>sizeof(struct sockaddr_storage).</summary>
    public const int SockAddrBytes = 128;

    private const int SOCK_STREAM = 1;
    private const int SOCK_NONBLOCK = 0x800;
    private const int SOCK_CLOEXEC = 0x80000;
    private const int SOL_SOCKET = 1;
    private const int SO_ERROR = 4;
    private const int SO_LINGER = 13;
    private const int SO_REUSEPORT = 15;
    private const int IPPROTO_TCP = 6;
    private const int TCP_NODELAY = 1;
    private const int TCP_REPAIR = 19;
    private const int IPPROTO_IP = 0;
    private const int IP_TTL = 2;
    private const int IPPROTO_IPV6 = 41;
    private const int IPV6_UNICAST_HOPS = 16;
    private const int MSG_PEEK = 2;
    private const int MSG_NOSIGNAL = 0x4000;
    private const int MSG_MORE = 0x8000;
    private const int SHUT_WR = 1;
    private const uint SPLICE_F_MOVE = 1;
    private const uint SPLICE_F_NONBLOCK = 2;
    private const int PIPE_FLAGS = 0x80800; // O_CLOEXEC | O_NONBLOCK
    private const int EPOLL_CLOEXEC = 0x80000;
    private const int CLOCK_THREAD_CPUTIME_ID = 3;
    private const int SCHED_IDLE = 5;
    private const int PRIO_PROCESS = 0; // On Linux a thread.
    private const int LowestPriority = 19;
    private const int EFD_CLOEXEC = 0x80000;
    private const int EFD_NONBLOCK = 0x800;

    // struct epoll_event is packed on x86-64 only (12 bytes); elsewhere its 64-bit part is aligned (16 bytes).
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    /// <summary>sizeof(struct epoll_event).</summary>
    public static readonly int EpollEventBytes = DataOffset + sizeof(ulong);

    public static uint EventsOf(byte* epollEvent) => *(uint*)epollEvent;

    public static ulong TagOf(byte* epollEvent) => Unsafe.ReadUnaligned<ulong>(epollEvent + DataOffset);

    public static int EpollCreate() => Result(epoll_create1(EPOLL_CLOEXEC));

    public static int EpollAdd(int epoll, int fd, uint events, ulong tag) => EpollControl(epoll, EPOLL_CTL_ADD, fd, events, tag);

    public static int EpollModify(int epoll, int fd, uint events, ulong tag) => EpollControl(epoll, EPOLL_CTL_MOD, fd, events, tag);

    public static int EpollRemove(int epoll, int fd) => EpollControl(epoll, EPOLL_CTL_DEL, fd, 0, 0);

    public static int EpollWait(int epoll, byte* events, int max, int milliseconds) => Result(epoll_wait(epoll, events, max, milliseconds));

    /// <param name="waits">Its reader does: <see cref="Wait"/>.</param>
    public static int EventFd(bool waits = false) => Result(eventfd(0, waits ? EFD_CLOEXEC : EFD_CLOEXEC | EFD_NONBLOCK));

    /// <summary>Waits until something is added to an eventfd, and takes it.</summary>
    public static void Wait(int eventFd)
    {
        ulong count;
        while (read(eventFd, &count, sizeof(ulong)) < 0 && Marshal.GetLastSystemError() == EINTR)
        {
        }
    }

    /// <summary>
    /// From now on the calling thread runs only when nobody else wants to (SCHED_IDLE, which needs no rights); where the C library knows no such thing (musl), it
    /// is the least of those who do. Stays as it is where the system allows neither.
    /// </summary>
    public static void SetLowestPriority()
    {
        var priority = 0;
        if (sched_setscheduler(0, SCHED_IDLE, &priority) < 0)
        {
            _ = setpriority(PRIO_PROCESS, 0, LowestPriority);
        }
    }

    /// <summary>Processor time of the calling thread, in nanoseconds.</summary>
    public static long ThreadTime()
    {
        // struct timespec
        var time = stackalloc long[2];
        _ = clock_gettime(CLOCK_THREAD_CPUTIME_ID, time);
        return time[0] * 1_000_000_000 + time[1];
    }

    /// <summary>Adds one to an eventfd.</summary>
    public static int Signal(int eventFd)
    {
        ulong one = 1;
        nint written;
        do
        {
            written = write(eventFd, &one, sizeof(ulong));
        }
        while (written < 0 && Marshal.GetLastSystemError() == EINTR);
        return (int)written;
    }

    /// <summary>A new non-blocking stream socket of an address family.</summary>
    public static int Socket(int family) => Result(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));

    /// <summary>Accepts a non-blocking connection and its peer's address (<see cref="SockAddrBytes"/> of room).</summary>
    public static int Accept(int listening, byte* address, out int addressBytes)
    {
        var length = SockAddrBytes;
        int fd;
        do
        {
            fd = Result(accept4(listening, address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
        }
        while (fd == -EINTR);
        addressBytes = length;
        return fd;
    }

    // An interrupted connect goes on in the kernel, like one that says EINPROGRESS: it must not be called again.
    public static int Connect(int fd, byte* address, int addressBytes) => Result(connect(fd, address, addressBytes)) is var r && r == -EINTR ? -EINPROGRESS : r;

    /// <summary>Whether a connect that said EINPROGRESS has succeeded meanwhile.</summary>
    public static bool IsConnected(int fd)
    {
        var address = stackalloc byte[SockAddrBytes];
        var length = SockAddrBytes;
        return getpeername(fd, address, &length) == 0;
    }

    /// <summary>The address of this end. False = it is closed.</summary>
    public static bool TryGetName(int fd, byte* address, out int addressBytes)
    {
        var length = SockAddrBytes;
        var result = getsockname(fd, address, &length);
        addressBytes = length;
        return result == 0;
    }

    public static int Receive(int fd, byte* buffer, int count)
    {
        int received;
        do
        {
            received = Result((int)recv(fd, buffer, (nuint)count, 0));
        }
        while (received == -EINTR);
        return received;
    }

    /// <summary>What a receive would give, without taking it: 1 = bytes, 0 = the end, negative = an errno.</summary>
    public static int Peek(int fd)
    {
        byte one;
        int received;
        do
        {
            received = Result((int)recv(fd, &one, 1, MSG_PEEK));
        }
        while (received == -EINTR);
        return received;
    }

    /// <param name="fd">A socket.</param>
    /// <param name="buffer">What to send.</param>
    /// <param name="count">How much.</param>
    /// <param name="isLast">Nothing but the end follows, at once: FIN shares the segment.</param>
    public static int Send(int fd, byte* buffer, int count, bool isLast = false)
    {
        int sent;
        do
        {
            sent = Result((int)send(fd, buffer, (nuint)count, isLast ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL));
        }
        while (sent == -EINTR);
        return sent;
    }

    /// <summary>A non-blocking pipe: read end, write end.</summary>
    public static int Pipe(int* ends) => Result(pipe2(ends, PIPE_FLAGS));

    /// <summary>Moves pages between a socket and a pipe. 0 = the end, or urgent data ahead; negative = an errno.</summary>
    public static int Splice(int from, int to, int count)
    {
        int moved;
        do
        {
            moved = Result((int)splice(from, null, to, null, (nuint)count, SPLICE_F_MOVE | SPLICE_F_NONBLOCK));
        }
        while (moved == -EINTR);
        return moved;
    }

    /// <summary>The next <see cref="Close"/> tells the peer nothing; without the right to that (CAP_NET_ADMIN) its reset gets no further than the first router.</summary>
    public static void SetSilentClose(int fd)
    {
        if (SetOption(fd, IPPROTO_TCP, TCP_REPAIR, 1) < 0)
        {
            // A socket of one family refuses the option of the other.
            _ = SetOption(fd, IPPROTO_IP, IP_TTL, 1);
            _ = SetOption(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 1);
        }
    }

    public static int ShutdownSend(int fd) => Result(shutdown(fd, SHUT_WR));

    public static int SetNoDelay(int fd) => SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);

    public static int SetReusePort(int fd) => SetOption(fd, SOL_SOCKET, SO_REUSEPORT, 1);

    /// <summary>The next <see cref="Close"/> resets the connection and drops what was not delivered.</summary>
    public static int SetAbortiveClose(int fd)
    {
        // struct linger { int l_onoff; int l_linger; }
        var linger = stackalloc int[2] { 1, 0 };
        return Result(setsockopt(fd, SOL_SOCKET, SO_LINGER, linger, 2 * sizeof(int)));
    }

    /// <summary>The errno a socket has pending, which is cleared; 0 = none.</summary>
    public static int TakeError(int fd)
    {
        int error;
        var length = sizeof(int);
        return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : Marshal.GetLastSystemError();
    }

    /// <summary>struct tcp_info. False = it is no TCP connection, or closed.</summary>
    public static bool TryGetTcpInfo(int fd, Span<byte> info)
    {
        var length = info.Length;
        fixed (byte* bytes = info)
        {
            return getsockopt(fd, TcpFacts.Level, TcpFacts.Option, bytes, &length) == 0 && length == info.Length;
        }
    }

    // Linux releases the number even when close says EINTR: a second call could close someone else's descriptor.
    public static void Close(int fd) => _ = close(fd);

    private static int EpollControl(int epoll, int operation, int fd, uint events, ulong tag)
    {
        var epollEvent = stackalloc byte[16];
        *(uint*)epollEvent = events;
        Unsafe.WriteUnaligned(epollEvent + DataOffset, tag);
        return Result(epoll_ctl(epoll, operation, fd, epollEvent));
    }

    private static int SetOption(int fd, int level, int option, int value) => Result(setsockopt(fd, level, option, &value, sizeof(int)));

    // errno is the thread's own: nothing may come between the call and this.
    private static int Result(int result) => result >= 0 ? result : -Marshal.GetLastSystemError();

    [LibraryImport(C)]
    private static partial int epoll_create1(int flags);

    [LibraryImport(C)]
    [SuppressGCTransition]
    private static partial int epoll_ctl(int epoll, int operation, int fd, byte* epollEvent);

    [LibraryImport(C)]
    private static partial int epoll_wait(int epoll, byte* events, int max, int milliseconds);

    [LibraryImport(C)]
    private static partial int eventfd(uint value, int flags);

    [LibraryImport(C)]
    private static partial nint read(int fd, void* buffer, nuint count);

    [LibraryImport(C)]
    private static partial int sched_setscheduler(int thread, int policy, int* priority);

    [LibraryImport(C)]
    private static partial int clock_gettime(int clock, long* time);

    [LibraryImport(C)]
    private static partial int setpriority(int kind, uint thread, int priority);

    [LibraryImport(C)]
    [SuppressGCTransition]
    private static partial nint write(int fd, void* buffer, nuint count);

    [LibraryImport(C)]
    [SuppressGCTransition]
    private static partial int socket(int family, int type, int protocol);

    [LibraryImport(C)]
    [SuppressGCTransition]
    private static partial int accept4(int fd, byte* address, int* addressBytes, int flags);

    [LibraryImport(C)]
    [SuppressGCTransition]
    private static partial int connect(int fd, byte* address, int addressBytes);

    [LibraryImport(C)]
    [SuppressGCTransition]
    private static partial int getpeername(int fd, byte* address, int* addressBytes);

    [LibraryImport(C)]
    [SuppressGCTransition]
    private static partial int getsockname(int fd, byte* address, int* addressBytes);

    [LibraryImport(C)]
    [SuppressGCTransition]
    private static partial nint recv(int fd, byte* buffer, nuint count, int flags);

    [LibraryImport(C)]
    [SuppressGCTransition]
    private static partial nint send(int fd, byte* buffer, nuint count, int flags);

    [LibraryImport(C)]
    [SuppressGCTransition]
    private static partial int pipe2(int* ends, int flags);

    [LibraryImport(C)]
    [SuppressGCTransition]
    private static partial nint splice(int from, long* fromOffset, int to, long* toOffset, nuint count, uint flags);

    [LibraryImport(C)]
    [SuppressGCTransition]
    private static partial int shutdown(int fd, int how);

    [LibraryImport(C)]
    [SuppressGCTransition]
    private static partial int setsockopt(int fd, int level, int option, void* value, int valueBytes);

    [LibraryImport(C)]
    [SuppressGCTransition]
    private static partial int getsockopt(int fd, int level, int option, void* value, int* valueBytes);

    [LibraryImport(C)]
    [SuppressGCTransition]
    private static partial int close(int fd);
}
