using KestrelStream.Transport;
using KestrelStream.Transport.EventLoop;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>Moves the bytes of one handshake between a connection and its TLS session. On the loop's thread only.</summary>
internal unsafe struct LoopHandshake(LoopConnection client, OpenSslSession tls)
{
    private HeldBytes _unsent;

    /// <summary>The client's kernel buffers are full: nothing goes on before <see cref="TakeUnsent"/> was sent.</summary>
    public readonly bool HasUnsent => _unsent.Count > 0;

    /// <param name="received">What preread has received: the ClientHello, and maybe more.</param>
    public TlsStatus Begin(ReadOnlySpan<byte> received)
    {
        fixed (byte* bytes = received)
        {
            return Step(bytes, received.Length);
        }
    }

    /// <summary>Receives what is there and goes on.</summary>
    public TlsStatus Continue()
    {
        if (client.IsClosed)
        {
            return TlsStatus.Closed;
        }

        var buffer = client.Loop.Buffer;
        var received = client.Receive(buffer, TlsBuffers.InputBytes);
        return received > 0 ? Step(buffer, received)
            : received == -Native.EAGAIN ? TlsStatus.NeedInput
            : TlsStatus.Closed;
    }

    /// <summary>A copy, because an operation that waits needs memory that stays. Clients that make this happen are rare.</summary>
    public byte[] TakeUnsent() => _unsent.TakeAll();

    private TlsStatus Step(byte* bytes, int count)
    {
        tls.Buffers.SetInput(bytes, count);
        TlsStatus status;
        do
        {
            status = tls.Handshake();
            if (client.SendTls(ref _unsent) < 0)
            {
                // The alert of a client that gives up may still wait to be read, but it changes nothing.
                _unsent.Release();
                status = status == TlsStatus.Failed ? status : TlsStatus.Closed;
            }
        }
        while (status == TlsStatus.NeedRoom);

        tls.Buffers.ClearInput();
        tls.FreeBuffers();
        return status;
    }
}
