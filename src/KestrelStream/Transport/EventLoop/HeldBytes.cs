using System.Buffers;

namespace KestrelStream.Transport.EventLoop;

/// <summary>What a receiver's kernel did not take, in a pooled buffer. Given back by <see cref="Release"/>, or once nothing is left. Not thread-safe.</summary>
internal unsafe struct HeldBytes
{
    private byte[]? _bytes;
    private int _start;

    public int Count { get; private set; }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        if (_bytes is null || _start + Count + bytes.Length > _bytes.Length)
        {
            var next = ArrayPool<byte>.Shared.Rent(Count + bytes.Length);
            if (_bytes is { } old)
            {
                old.AsSpan(_start, Count).CopyTo(next);
                ArrayPool<byte>.Shared.Return(old);
            }

            _bytes = next;
            _start = 0;
        }

        bytes.CopyTo(_bytes.AsSpan(_start + Count));
        Count += bytes.Length;
    }

    /// <summary>Sends as much as the kernel takes. Negative = an errno.</summary>
    public int SendTo(LoopConnection connection)
    {
        int sent;
        fixed (byte* bytes = _bytes)
        {
            sent = connection.Send(bytes + _start, Count);
        }

        if (sent > 0)
        {
            _start += sent;
            Count -= sent;
        }

        if (Count == 0)
        {
            Release();
        }

        return sent;
    }

    /// <summary>A copy of what is held; then nothing is.</summary>
    public byte[] TakeAll()
    {
        var bytes = _bytes.AsSpan(_start, Count).ToArray();
        Release();
        return bytes;
    }

    public void Release()
    {
        if (_bytes is { } bytes)
        {
            _bytes = null;
            ArrayPool<byte>.Shared.Return(bytes);
        }

        _start = 0;
        Count = 0;
    }
}
