using System.Runtime.InteropServices;
using KestrelStream.Load.Interop;

namespace KestrelStream.Load.Client;

/// <summary>An epoll instance with its event buffer. One thread uses it.</summary>
internal sealed unsafe class ReadyQueue : IDisposable
{
    /// <summary>Longest silence before everything still open counts as an error.</summary>
    private const int SilenceMilliseconds = 10_000;

    private const int MaxEvents = 256;

    private readonly int _epoll = Libc.EpollCreate();
    private readonly byte* _events = (byte*)NativeMemory.Alloc((nuint)Libc.EventBufferBytes(MaxEvents));

    public bool Add(int descriptor) => Libc.EpollAdd(_epoll, descriptor);

    /// <summary>Number of readable descriptors; 0 when nothing happened for ten seconds.</summary>
    public int Wait() => Math.Max(0, Libc.EpollWait(_epoll, _events, MaxEvents, SilenceMilliseconds));

    public int DescriptorAt(int index) => Libc.EventDescriptor(_events, index);

    public void Dispose()
    {
        _ = Libc.Close(_epoll);
        NativeMemory.Free(_events);
    }
}
