using KestrelStream.Tls;

namespace KestrelStream.Transport;

/// <summary>
/// A <see cref="StreamConnection"/> as a stream, for what only speaks streams: <c>SslStream</c> and pipes. Replays bytes that were received before.
/// A reset reads as the end and is remembered in <see cref="Status"/>: the stream's user asks there, and no exception is thrown for it.
/// </summary>
internal sealed class StreamConnectionStream(StreamConnection connection, ReadOnlyMemory<byte> replay = default, HelloRetryGuard? guard = null) : Stream
{
    private ReadOnlyMemory<byte> _replay = replay;

    /// <summary>How the last receive that was not Ok ended.</summary>
    public IOStatus Status { get; private set; }

    /// <summary>The peer's FIN, or a broken connection, was read.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>
    /// Held by whoever reads from what is on top of this, and let go while the peer is waited for: who takes it meanwhile finds nobody at work on
    /// what was received. Null = nobody asks.
    /// </summary>
    public SemaphoreSlim? Turn { get; set; }

    /// <summary>The next write gives the turn back before it waits: what it writes is made already.</summary>
    public bool NextWriteEndsTurn { get; set; }

    /// <summary>Every byte that was received before has been read again.</summary>
    public bool IsReplayed => _replay.IsEmpty;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!_replay.IsEmpty)
        {
            var count = Math.Min(buffer.Length, _replay.Length);
            _replay[..count].CopyTo(buffer);
            _replay = _replay[count..];
            guard?.Inspect(buffer.Span[..count]);
            return ValueTask.FromResult(count);
        }

        // A zero-byte read is how SslStream waits without holding a buffer.
        return buffer.IsEmpty ? WaitAsync() : ReceiveAsync(buffer);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (NextWriteEndsTurn)
        {
            NextWriteEndsTurn = false;
            Turn!.Release();
        }

        guard?.InspectAnswer(buffer.Span);
        var result = await connection.SendAsync(buffer);
        if (!result.IsOk)
        {
            Status = result.Status;
            throw new IOException("The connection was reset.");
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private async ValueTask<int> WaitAsync()
    {
        Turn?.Release();
        IOStatus status;
        try
        {
            status = await connection.WaitToReceiveAsync();
        }
        finally
        {
            await TakeTurnAsync();
        }

        if (status != IOStatus.Ok)
        {
            Ended(status);
        }

        return 0;
    }

    private async ValueTask<int> ReceiveAsync(Memory<byte> buffer)
    {
        if (HasEnded)
        {
            return 0;
        }

        Turn?.Release();
        IOResult result;
        try
        {
            result = await connection.ReceiveAsync(buffer);
        }
        finally
        {
            await TakeTurnAsync();
        }

        if (!result.IsOk || result.Count == 0)
        {
            Ended(result.Status);
        }
        else if (guard is not null && !guard.Inspect(buffer.Span[..result.Count]))
        {
            HasEnded = true;
            return 0;
        }

        return result.Count;
    }

    private Task TakeTurnAsync() => Turn?.WaitAsync() ?? Task.CompletedTask;

    private void Ended(IOStatus status)
    {
        HasEnded = true;
        if (status != IOStatus.Ok)
        {
            Status = status;
        }
    }
}
