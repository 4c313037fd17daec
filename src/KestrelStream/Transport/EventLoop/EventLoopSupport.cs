using System.Runtime.InteropServices;

namespace KestrelStream.Transport.EventLoop;

/// <summary>Whether this machine can run the event loop.</summary>
internal static class EventLoopSupport
{
    /// <summary>Null = it can; otherwise why not, as the end of a sentence.</summary>
    public static string? WhyNot() => WhyNotHere() ?? WhyKernelRefuses();

    /// <summary>The same of the operating system and the processor, which no setting of theirs changes.</summary>
    public static string? WhyNotHere()
    {
        if (!OperatingSystem.IsLinux())
        {
            return "it needs Linux";
        }

        if (RuntimeInformation.ProcessArchitecture is not (Architecture.X64 or Architecture.Arm64) || !BitConverter.IsLittleEndian)
        {
            return "it needs an x64 or arm64 processor";
        }

        return null;
    }

    /// <summary>The same of the kernel: a sandbox may forbid single calls.</summary>
    public static string? WhyKernelRefuses()
    {
        var epoll = Native.EpollCreate();
        if (epoll < 0)
        {
            return $"the kernel refuses epoll (errno {-epoll})";
        }

        Native.Close(epoll);
        var wake = Native.EventFd();
        if (wake < 0)
        {
            return $"the kernel refuses eventfd (errno {-wake})";
        }

        Native.Close(wake);
        var socket = Native.Socket(Native.AF_INET);
        if (socket < 0)
        {
            // No IPv4: the listeners say what is wrong. Loops themselves work.
            return null;
        }

        var reuse = Native.SetReusePort(socket);
        Native.Close(socket);
        return reuse < 0 ? $"the kernel refuses SO_REUSEPORT (errno {-reuse})" : null;
    }
}
