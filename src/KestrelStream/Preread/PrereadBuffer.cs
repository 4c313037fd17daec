using System.Buffers;

namespace KestrelStream.Preread;

/// <summary>The first bytes of one connection, in one piece, with the parser that judges them: pooled, grown as they come, counted against the process's budget. One a session, which gives it back once the bytes are forwarded; not thread-safe.</summary>
internal sealed class PrereadBuffer(PrereadBudget budget, int maxBytes) : IDisposable
{
    /// <summary>A usual hello is 200–1,800 bytes.</summary>
    private const int FirstBytes = 2048;

    private byte[]? _bytes;
    private ClientHelloParser _parser = new(maxBytes);

    /// <summary>The verdict on what has arrived. A struct kept here in place.</summary>
    public ref ClientHelloParser Parser => ref _parser;

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Length);

    /// <summary>Room for the next receive, at least one byte. False = the session's cap or the process's budget is reached.</summary>
    public bool TryGetRoom(out Memory<byte> room)
    {
        room = default;
        var capacity = Math.Min(_bytes?.Length ?? 0, maxBytes);
        if (Length == capacity && !TryGrow())
        {
            return false;
        }

        room = _bytes.AsMemory(Length, Math.Min(_bytes!.Length, maxBytes) - Length);
        return room.Length > 0;
    }

    public void Advance(int count) => Length += count;

    /// <summary>What has been received is dealt with. The parser must not have seen more than bytes that are not TLS.</summary>
    public void Clear() => Length = 0;

    /// <summary>Bytes that were received elsewhere come first.</summary>
    public bool TryAppend(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (!TryGetRoom(out var room))
            {
                return false;
            }

            var count = Math.Min(room.Length, bytes.Length);
            bytes[..count].CopyTo(room.Span);
            bytes = bytes[count..];
            Length += count;
        }

        return true;
    }

    public void Dispose()
    {
        _parser.Dispose();
        if (_bytes is { } bytes)
        {
            _bytes = null;
            budget.Return(bytes.Length);
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private bool TryGrow()
    {
        var size = Math.Min(_bytes is null ? FirstBytes : _bytes.Length * 2, Math.Max(maxBytes, FirstBytes));
        if (Length >= maxBytes)
        {
            return false;
        }

        var next = ArrayPool<byte>.Shared.Rent(size);
        if (!budget.TryTake(next.Length))
        {
            ArrayPool<byte>.Shared.Return(next);
            return false;
        }

        if (_bytes is { } old)
        {
            old.AsSpan(0, Length).CopyTo(next);
            budget.Return(old.Length);
            ArrayPool<byte>.Shared.Return(old);
        }

        _bytes = next;
        return true;
    }
}
