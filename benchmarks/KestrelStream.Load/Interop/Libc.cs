using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;

namespace KestrelStream.Load.Interop;

/// <summary>The Linux calls the generator makes itself, because <c>Socket</c> would spend more CPU on them than the proxies do.</summary>
internal static unsafe partial class Libc
{
    public const int Eintr = 4;
    public const int Eagain = 11;
    public const uint EpollIn = 0x1;
    public const int DontWait = 0x40;

    private const string Library = "libc";
    private const int AfInet = 2;
    private const int SockStream = 1;
    private const int SockNonBlock = 0x800;
    private const int CloseOnExec = 0x80000;
    private const int EpollCtlAdd = 1;
    private const int IpProto = 0;
    private const int IpBindAddressNoPort = 24;
    private const int TcpProto = 6;
    private const int TcpNoDelay = 1;
    private const int SigTerm = 15;

    /// <summary>Size of one kernel <c>struct epoll_event</c>: packed on x86-64, aligned elsewhere.</summary>
    private static readonly int EventStride = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    private static readonly int EventDataOffset = EventStride - 8;

    /// <summary>Bytes an event buffer needs for <paramref name="count"/> events.</summary>
    public static int EventBufferBytes(int count) => count * EventStride;

    public static int EventDescriptor(byte* events, int index) => *(int*)(events + (index * EventStride) + EventDataOffset);

    public static int EpollCreate() => epoll_create1(CloseOnExec);

    /// <summary>Registers a descriptor for level-triggered reading; closing the descriptor removes it.</summary>
    public static bool EpollAdd(int epoll, int descriptor)
    {
        byte* kernelEvent = stackalloc byte[16];
        new Span<byte>(kernelEvent, 16).Clear();
        *(uint*)kernelEvent = EpollIn;
        *(int*)(kernelEvent + EventDataOffset) = descriptor;
        return epoll_ctl(epoll, EpollCtlAdd, descriptor, kernelEvent) == 0;
    }

    /// <summary>Events, 0 after <paramref name="timeoutMilliseconds"/>, or −1; a signal counts as no event.</summary>
    public static int EpollWait(int epoll, byte* events, int count, int timeoutMilliseconds)
    {
        int ready;
        do
        {
            ready = epoll_wait(epoll, events, count, timeoutMilliseconds);
        }
        while (ready < 0 && Marshal.GetLastPInvokeError() == Eintr);

        return ready;
    }

    public static int AcceptNonBlocking(int listener) => accept4(listener, null, null, SockNonBlock | CloseOnExec);

    /// <summary>A connected blocking TCP socket from <paramref name="source"/> to <paramref name="target"/>, or −1 with the errno set.</summary>
    /// <remarks>
    /// Connections leave from several loopback addresses, so that sockets in TIME_WAIT never use up the ports of one;
    /// IP_BIND_ADDRESS_NO_PORT leaves the choice of the port to connect(), which knows the whole tuple.
    /// </remarks>
    public static int Connect(ulong source, ulong target, bool noDelay)
    {
        int descriptor = socket(AfInet, SockStream | CloseOnExec, 0);
        if (descriptor < 0)
        {
            return -1;
        }

        int one = 1;
        byte* from = stackalloc byte[16];
        byte* to = stackalloc byte[16];
        WriteAddress(from, source);
        WriteAddress(to, target);
        bool connected = setsockopt(descriptor, IpProto, IpBindAddressNoPort, &one, sizeof(int)) == 0
            && bind(descriptor, from, 16) == 0
            && (!noDelay || setsockopt(descriptor, TcpProto, TcpNoDelay, &one, sizeof(int)) == 0)
            && connect(descriptor, to, 16) == 0;
        if (connected)
        {
            return descriptor;
        }

        int error = Marshal.GetLastPInvokeError();
        _ = Close(descriptor);
        Marshal.SetLastPInvokeError(error);
        return -1;
    }

    /// <summary>An IPv4 endpoint in one integer: network-order address above the network-order port.</summary>
    public static ulong PackEndpoint(IPEndPoint endpoint)
    {
        Span<byte> address = stackalloc byte[4];
        _ = endpoint.Address.TryWriteBytes(address, out _);
        uint raw = MemoryMarshal.Read<uint>(address);
        ushort port = BinaryPrimitives.ReverseEndianness((ushort)endpoint.Port);
        return ((ulong)raw << 16) | port;
    }

    public static void SetReceiveTimeout(int descriptor, int seconds)
    {
        const int socketLevel = 1;
        const int receiveTimeout = 20;
        Timespec time = new() { Seconds = seconds };
        _ = setsockopt(descriptor, socketLevel, receiveTimeout, &time, (uint)sizeof(Timespec));
    }

    public static nint Receive(int descriptor, byte* buffer, nuint length, int flags) => recv(descriptor, buffer, length, flags);

    public static nint Send(int descriptor, byte* buffer, nuint length) => send(descriptor, buffer, length, 0);

    public static int Close(int descriptor) => close(descriptor);

    public static void Terminate(int processId) => _ = kill(processId, SigTerm);

    /// <summary>CPU time of a whole process in nanoseconds, threads that already ended included; −1 when it is gone.</summary>
    /// <remarks>
    /// The clock id is what clock_getcpuclockid(3) returns. It is the counter behind utime+stime of /proc/PID/stat, without the
    /// rounding to 10 ms; /proc/PID/task/*/schedstat has the same precision but forgets threads that ended.
    /// </remarks>
    public static long ProcessCpuNanoseconds(int processId)
    {
        const int schedulerClock = 2;
        Timespec time;
        return clock_gettime((~processId << 3) | schedulerClock, &time) == 0 ? (time.Seconds * 1_000_000_000L) + time.Nanoseconds : -1;
    }

    private static void WriteAddress(byte* sockaddr, ulong endpoint)
    {
        *(ulong*)sockaddr = 0;
        *(ulong*)(sockaddr + 8) = 0;
        *(ushort*)sockaddr = AfInet;
        *(ushort*)(sockaddr + 2) = (ushort)endpoint;
        *(uint*)(sockaddr + 4) = (uint)(endpoint >> 16);
    }

    [LibraryImport(Library, SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int epoll_ctl(int epoll, int operation, int descriptor, byte* kernelEvent);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int epoll_wait(int epoll, byte* events, int count, int timeout);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int accept4(int listener, void* address, void* length, int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int socket(int family, int type, int protocol);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int bind(int descriptor, byte* address, uint length);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int connect(int descriptor, byte* address, uint length);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int setsockopt(int descriptor, int level, int name, void* value, uint length);

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint recv(int descriptor, byte* buffer, nuint length, int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint send(int descriptor, byte* buffer, nuint length, int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int close(int descriptor);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int kill(int processId, int signal);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int clock_gettime(int clock, Timespec* time);

    [StructLayout(LayoutKind.Sequential)]
    private struct Timespec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
