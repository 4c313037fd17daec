using System.Runtime.CompilerServices;
using KestrelStream.Transport;
using KestrelStream.Transport.EventLoop;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>Moves the bytes of one handshake between a connection and its TLS session. On the loop's thread only.</summary>
internal struct LoopHandshake(LoopConnection connection, OpenSslSession tls)
{
    private HeldBytes _unsent;

    /// <summary>The peer's kernel buffers are full: nothing goes on before <see cref="TakeUnsent"/> was sent.</summary>
    public readonly bool HasUnsent => _unsent.Count > 0;

    /// <param name="received">Of a client: what preread has received, the ClientHello and maybe more. Of a destination nothing.</param>
    public unsafe TlsStatus Begin(ReadOnlySpan<byte> received)
    {
        fixed (byte* bytes = received)
        {
            return Step(bytes, received.Length);
        }
    }

    /// <summary>Goes on after the first step until the handshake is over, one way or another.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<TlsStatus> CompleteAsync(LoopConnection connection, LoopHandshake handshake, TlsStatus status)
    {
        while (status == TlsStatus.NeedInput || handshake.HasUnsent)
        {
            if (handshake.HasUnsent)
            {
                var sent = await connection.SendAsync(handshake.TakeUnsent());
                status = sent.IsOk ? status : TlsStatus.Closed;
                continue;
            }

            var waited = await connection.WaitToReceiveAsync();
            await MayStepAsync(connection.Loop);
            status = waited == IOStatus.Ok ? handshake.Continue() : TlsStatus.Closed;
        }

        return status;
    }

    /// <summary>Ends when the loop has time for a step.</summary>
    public static ValueTask<IOStatus> MayStepAsync(EventLoop loop)
        => loop.TryTakeHandshakeStep() ? ValueTask.FromResult(IOStatus.Ok) : loop.WaitForHandshakeStepAsync();

    /// <summary>Receives what is there and goes on.</summary>
    public unsafe TlsStatus Continue()
    {
        if (connection.IsClosed)
        {
            return TlsStatus.Closed;
        }

        var buffer = connection.Loop.Buffer;
        var received = connection.Receive(buffer, TlsBuffers.InputBytes);
        return received > 0 ? Step(buffer, received)
            : received == -Native.EAGAIN ? TlsStatus.NeedInput
            : TlsStatus.Closed;
    }

    /// <summary>A copy, because an operation that waits needs memory that stays. Peers that make this happen are rare.</summary>
    public byte[] TakeUnsent() => _unsent.TakeAll();

    private unsafe TlsStatus Step(byte* bytes, int count)
    {
        tls.Buffers.SetInput(bytes, count);
        TlsStatus status;
        do
        {
            status = tls.Handshake();
            if (connection.SendTls(ref _unsent) < 0)
            {
                // The alert of a peer that gives up may still wait to be read, but it changes nothing.
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
