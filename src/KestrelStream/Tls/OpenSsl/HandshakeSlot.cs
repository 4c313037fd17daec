using KestrelStream.Transport.EventLoop;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>A step of a handshake on its way to <see cref="HandshakeHelper"/> and back. At any time either the loop or the helper touches it.</summary>
internal sealed unsafe class HandshakeSlot(int loop) : IDisposable
{
    /// <summary>Where the session reads and writes meanwhile.</summary>
    public TlsBuffers Buffers { get; } = new(loop);

    /// <summary>Room for what was received, <see cref="TlsBuffers.InputBytes"/>: nothing is decrypted during a handshake.</summary>
    public byte* Input => Buffers.Plain;

    /// <summary>Whose step it is: nobody else touches it meanwhile. Null = nobody's.</summary>
    public OpenSslSession? Session { get; set; }

    /// <summary>Goes on, on the loop, once the step was taken.</summary>
    public LoopOperation? Waiter { get; set; }

    public TlsStatus Status { get; private set; }

    /// <summary>Processor time of the step, in nanoseconds: it may have taken far longer.</summary>
    public long Nanoseconds { get; private set; }

    /// <summary>A defect of ours; null = none.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Takes the step. On the helper's thread.</summary>
    public void Run()
    {
        var started = Native.ThreadTime();
        try
        {
            Failure = null;
            Status = Session!.Handshake();
            Session.FreeBuffers();
        }
        catch (Exception e)
        {
            Failure = e;
            Status = TlsStatus.Failed;
        }

        Nanoseconds = Native.ThreadTime() - started;
    }

    public void Dispose() => Buffers.Dispose();
}
