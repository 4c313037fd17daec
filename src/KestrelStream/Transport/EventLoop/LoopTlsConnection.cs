using System.Buffers;
using System.Net;
using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Transport.EventLoop;

/// <summary>
/// The plain side of a client whose TLS OpenSSL has ended on the loop, for what reads and writes instead of being pumped: the hand-over to HTTP, and logins
/// before the relay; of a destination likewise. Receiving and sending on the loop's thread only; the inner connection owns the TLS session.
/// </summary>
internal sealed class LoopTlsConnection(LoopConnection inner) : StreamConnection
{
    /// <summary>Answers to key updates that wait for the next send. A client that asks for more without reading any is up to no good.</summary>
    private const int MostHeld = 64 * 1024;

    private HeldBytes _unsent;
    private byte[]? _rest;
    private int _restStart;
    private int _restCount;
    private bool _isSending;
    private IOStatus? _end;

    /// <summary>The connection itself, where nothing or somebody else decrypts it.</summary>
    public static StreamConnection Over(StreamConnection connection) => connection is LoopConnection { Tls: not null } loop ? new LoopTlsConnection(loop) : connection;

    /// <summary>
    /// Ends this before the connection does: what is decrypted and not received, once all that is written is sent. It is the inner connection's to be pumped then.
    /// Null = it cannot be.
    /// </summary>
    public async ValueTask<byte[]?> LetGoAsync()
    {
        var rest = new byte[_restCount];
        TakeRest(rest);
        return await FlushAsync() == IOStatus.Ok && _end is null ? rest : null;
    }

    public override EndPoint? RemoteEndPoint { get => inner.RemoteEndPoint; set => inner.RemoteEndPoint = value; }

    public override EndPoint? LocalEndPoint { get => inner.LocalEndPoint; set => inner.LocalEndPoint = value; }

    public override bool ClosesOrderly => false;

    public override ValueTask<IOStatus> WaitToReceiveAsync()
        => _restCount > 0 || _end is not null || inner.Tls is not { HasUnread: false } ? ValueTask.FromResult(IOStatus.Ok) : inner.WaitToReceiveAsync();

    public override async ValueTask<IOResult> ReceiveAsync(Memory<byte> buffer)
    {
        while (true)
        {
            var count = TakeRest(buffer.Span);
            if (count == 0 && _end is null)
            {
                count = ReceiveAndDecrypt(buffer.Span);
            }

            if (count > 0)
            {
                return new IOResult(count, IOStatus.Ok);
            }

            if (_end is { } end)
            {
                return new IOResult(0, end);
            }

            if (await inner.WaitToReceiveAsync() is not IOStatus.Ok and var status)
            {
                return new IOResult(0, status);
            }
        }
    }

    public override async ValueTask<IOResult> SendAsync(ReadOnlyMemory<byte> buffer)
    {
        for (var done = 0; done < buffer.Length;)
        {
            var count = EncryptAndSend(buffer.Span[done..]);
            if (count < 0 || await FlushAsync() != IOStatus.Ok)
            {
                return new IOResult(done, inner.IsClosed ? IOStatus.Aborted : IOStatus.Reset);
            }

            done += count;
        }

        return new IOResult(buffer.Length, IOStatus.Ok);
    }

    public override async ValueTask<IOStatus> ShutdownSendAsync()
    {
        if (inner.Tls is not { } tls)
        {
            return IOStatus.Aborted;
        }

        tls.Shutdown();
        return !TakeOutput() || await FlushAsync() != IOStatus.Ok ? IOStatus.Reset : await inner.ShutdownSendAsync();
    }

    public override bool WasReset() => inner.WasReset();

    public override void StopReceiving() => inner.StopReceiving();

    public override void Reset() => inner.Reset();

    public override void Close()
    {
        if (_rest is { } rest)
        {
            _rest = null;
            _restCount = 0;
            ArrayPool<byte>.Shared.Return(rest);
        }

        _unsent.Release();
        inner.Close();
    }

    /// <summary>Zero = nothing is there, or the end, which is noted.</summary>
    private unsafe int ReceiveAndDecrypt(Span<byte> plain)
    {
        if (inner.Tls is not { } tls)
        {
            _end = IOStatus.Aborted;
            return 0;
        }

        if (tls.HasUnread)
        {
            var unread = tls.TakeUnread(out var unreadCount);
            fixed (byte* bytes = unread)
            {
                unreadCount = Decrypt(tls, bytes, unreadCount, plain);
            }

            ArrayPool<byte>.Shared.Return(unread);
            return unreadCount;
        }

        // No more than there is room for: what a record that was cut before adds to it is kept.
        var received = inner.Receive(inner.Loop.Buffer, Math.Min(plain.Length, TlsBuffers.InputBytes));
        if (received > 0)
        {
            return Decrypt(tls, inner.Loop.Buffer, received, plain);
        }

        if (received != -Native.EAGAIN)
        {
            // RFC 8446 §6.1: an end without close_notify is a cut.
            _end = received == 0 ? IOStatus.Truncated : inner.IsClosed ? IOStatus.Aborted : IOStatus.Reset;
        }

        return 0;
    }

    private unsafe int Decrypt(OpenSslSession tls, byte* bytes, int count, Span<byte> plain)
    {
        var buffers = tls.Buffers;
        buffers.SetInput(bytes, count);
        var total = 0;
        TlsStatus status;
        do
        {
            status = tls.Read(buffers.Plain, TlsBuffers.PlainBytes, out var decrypted);
            var here = new ReadOnlySpan<byte>(buffers.Plain, decrypted);
            var fitting = Math.Min(here.Length, plain.Length - total);
            here[..fitting].CopyTo(plain[total..]);
            total += fitting;
            KeepRest(here[fitting..]);
            if (!TakeOutput())
            {
                status = TlsStatus.Failed;
            }
        }
        while (status == TlsStatus.NeedRoom);

        buffers.ClearInput();
        tls.FreeBuffers();
        _end = status switch
        {
            TlsStatus.Closed => IOStatus.Ok,
            TlsStatus.Failed => IOStatus.Reset,
            _ => null,
        };
        return total;
    }

    /// <summary>How much of it was; negative = the connection cannot go on.</summary>
    private unsafe int EncryptAndSend(ReadOnlySpan<byte> plain)
    {
        var count = Math.Min(plain.Length, TlsBuffers.InputBytes);
        if (inner.Tls is not { } tls)
        {
            return -1;
        }

        fixed (byte* bytes = plain)
        {
            for (var done = 0; done < count;)
            {
                if (tls.Write(bytes + done, count - done, out var written) is TlsStatus.Failed or TlsStatus.Closed or TlsStatus.NeedInput || !TakeOutput())
                {
                    return -1;
                }

                done += written;
            }
        }

        tls.FreeBuffers();
        return count;
    }

    /// <summary>Sends what OpenSSL has written, or puts it behind what is being sent: records must stay in order. False = the connection cannot go on.</summary>
    private unsafe bool TakeOutput()
    {
        var buffers = inner.Tls!.Buffers;
        if (!_isSending)
        {
            return inner.SendTls(ref _unsent) >= 0 && _unsent.Count <= TlsBuffers.PlainBytes + MostHeld;
        }

        _unsent.Add(new ReadOnlySpan<byte>(buffers.Output, buffers.OutputCount));
        buffers.ClearOutput();
        return _unsent.Count <= MostHeld;
    }

    private async ValueTask<IOStatus> FlushAsync()
    {
        while (_unsent.Count > 0)
        {
            _isSending = true;
            var sent = await inner.SendAsync(_unsent.TakeAll());
            _isSending = false;
            if (!sent.IsOk)
            {
                return sent.Status;
            }
        }

        return IOStatus.Ok;
    }

    private int TakeRest(Span<byte> buffer)
    {
        if (_restCount == 0)
        {
            return 0;
        }

        var count = Math.Min(_restCount, buffer.Length);
        _rest.AsSpan(_restStart, count).CopyTo(buffer);
        _restStart += count;
        _restCount -= count;
        if (_restCount == 0)
        {
            ArrayPool<byte>.Shared.Return(_rest!);
            _rest = null;
        }

        return count;
    }

    private void KeepRest(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        var next = ArrayPool<byte>.Shared.Rent(_restCount + bytes.Length);
        var kept = TakeRest(next);
        bytes.CopyTo(next.AsSpan(kept));
        (_rest, _restStart, _restCount) = (next, 0, kept + bytes.Length);
    }
}
