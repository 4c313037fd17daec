using System.Net.Security;
using KestrelStream.Transport;

namespace KestrelStream.Tls;

/// <summary>The plain side of a connection that TLS is spoken on: <see cref="SslStream"/> over the client's or the destination's. Owned by its session.</summary>
/// <remarks>
/// <see cref="SslStream"/> keeps reads and writes apart, but not a read and <see cref="SslStream.ShutdownAsync"/>: both would be in the same OpenSSL session
/// at once, and now and then one of them fails or the record is damaged. So they take turns: a read lets go while it waits for the peer.
/// </remarks>
internal sealed class TlsConnection(SslStream ssl, StreamConnectionStream stream, StreamConnection inner) : StreamConnection
{
    private readonly SemaphoreSlim _turn = stream.Turn = new SemaphoreSlim(1, 1);

    public override System.Net.EndPoint? RemoteEndPoint { get => inner.RemoteEndPoint; set => inner.RemoteEndPoint = value; }

    public override System.Net.EndPoint? LocalEndPoint { get => inner.LocalEndPoint; set => inner.LocalEndPoint = value; }

    public override bool HoldsBuffersWhileReceiving => true;

    /// <summary>The peer takes no close_notify, which it would not read before it closes: FIN alone is the end.</summary>
    public bool EndsWithoutNotify { get; init; }

    // Without close_notify before the FIN the client would have to take it for a cut.
    public override bool ClosesOrderly => EndsWithoutNotify;

    public override async ValueTask<IOResult> ReceiveAsync(Memory<byte> buffer)
    {
        await _turn.WaitAsync();
        try
        {
            var count = await ssl.ReadAsync(buffer);
            return new IOResult(count, count > 0 || buffer.IsEmpty ? IOStatus.Ok : EndStatus());
        }
        catch (Exception e) when (IsExpected(e))
        {
            return new IOResult(0, stream.Status == IOStatus.Ok ? IOStatus.Truncated : stream.Status);
        }
        finally
        {
            _turn.Release();
        }
    }

    // SslStream answers a zero-byte read when a record is there: it holds no buffer while it waits.
    public override async ValueTask<IOStatus> WaitToReceiveAsync() => (await ReceiveAsync(Memory<byte>.Empty)).Status;

    public override async ValueTask<IOResult> SendAsync(ReadOnlyMemory<byte> buffer)
    {
        try
        {
            await ssl.WriteAsync(buffer);
            return new IOResult(buffer.Length, IOStatus.Ok);
        }
        catch (Exception e) when (IsExpected(e))
        {
            return new IOResult(0, stream.Status == IOStatus.Ok ? IOStatus.Aborted : stream.Status);
        }
    }

    public override async ValueTask<IOStatus> ShutdownSendAsync()
    {
        if (EndsWithoutNotify)
        {
            return await inner.ShutdownSendAsync();
        }

        await _turn.WaitAsync();
        stream.NextWriteEndsTurn = true;
        try
        {
            await ssl.ShutdownAsync();
        }
        catch (Exception)
        {
            // After a bad record of the peer's it throws OpenSSL's own exceptions, whose types nobody else can name.
            return stream.Status == IOStatus.Ok ? IOStatus.Aborted : stream.Status;
        }
        finally
        {
            if (stream.NextWriteEndsTurn)
            {
                stream.NextWriteEndsTurn = false;
                _turn.Release();
            }
        }

        return await inner.ShutdownSendAsync();
    }

    public override bool WasReset() => inner.WasReset();

    public override void StopReceiving() => inner.StopReceiving();

    public override void Reset() => inner.Reset();

    public override void Close()
    {
        inner.Close();

        // Frees the OpenSSL session. The inner connection is closed first, so this cannot write.
        ssl.Dispose();
    }

    /// <summary>An end without close_notify is a cut: anyone on the way could have made it (RFC 8446 §6.1).</summary>
    private IOStatus EndStatus()
        => !stream.HasEnded ? IOStatus.Ok : stream.Status == IOStatus.Ok ? IOStatus.Truncated : stream.Status;

    private static bool IsExpected(Exception e) => e is IOException or ObjectDisposedException or InvalidOperationException or System.Security.Authentication.AuthenticationException;
}
