using System.Buffers;
using KestrelStream.Transport;

namespace KestrelStream.StartTls;

/// <summary>Lines of text from a peer that may be hostile: bounded, without their ends. One for each talk; not thread-safe.</summary>
internal sealed class LineReader : IDisposable
{
    /// <summary>RFC 5321 §4.5.3.1.4 asks for 512; the commands before TLS are far shorter.</summary>
    private const int MaxBytes = 1024;

    private readonly StreamConnection _connection;
    private readonly byte[] _bytes = ArrayPool<byte>.Shared.Rent(MaxBytes);
    private int _start;
    private int _end;

    public LineReader(StreamConnection connection)
    {
        _connection = connection;

        // What came with a PROXY header. More than one line's bytes are cut, and with them the line is too long.
        var first = connection.TakeUnconsumed();
        _end = Math.Min(first.Length, MaxBytes);
        first[.._end].CopyTo(_bytes);
    }

    /// <summary>Whether bytes are there behind the last line.</summary>
    public bool HasMore => _end > _start;

    /// <summary>Null = the peer is gone, or its line is too long.</summary>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync()
    {
        while (true)
        {
            var lineFeed = _bytes.AsSpan(_start.._end).IndexOf((byte)'\n');
            if (lineFeed >= 0)
            {
                var line = _bytes.AsMemory(_start, lineFeed);
                _start += lineFeed + 1;
                return line.Span is [.., (byte)'\r'] ? line[..^1] : line;
            }

            if (_start > 0)
            {
                _bytes.AsSpan(_start.._end).CopyTo(_bytes);
                (_start, _end) = (0, _end - _start);
            }

            if (_end >= MaxBytes || await _connection.ReceiveAsync(_bytes.AsMemory(_end, MaxBytes - _end)) is not { IsOk: true, Count: > 0 and var count })
            {
                return null;
            }

            _end += count;
        }
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_bytes);
}
