using System.Buffers;
using System.Security.Cryptography;
using KestrelStream.Transport;

namespace KestrelStream.StartTls.MySql;

/// <summary>Packets from a peer that may be hostile: bounded, and wiped afterwards, as there are passwords among them. One for each talk; not thread-safe.</summary>
internal sealed class MySqlPacketReader(StreamConnection connection, int maxPayload) : IDisposable
{
    /// <summary>Logins without connection attributes, and all that servers say.</summary>
    private const int UsualBytes = 1024;

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(UsualBytes);
    private int _start;
    private int _end;

    /// <summary>The last packet was none: it claimed to be longer than any here can be.</summary>
    public bool IsTooLong { get; private set; }

    /// <summary>What came behind the last packet.</summary>
    public ReadOnlyMemory<byte> Rest => _bytes.AsMemory(_start.._end);

    /// <summary>A packet with its header, until the next one is read; empty = the peer is gone, or its packet is too long.</summary>
    public async ValueTask<Memory<byte>> ReadAsync()
    {
        if (!await FillAsync(MySqlPacket.HeaderBytes))
        {
            return default;
        }

        var length = MySqlPacket.LengthOf(_bytes.AsSpan(_start));
        if (length > maxPayload)
        {
            IsTooLong = true;
            return default;
        }

        var count = MySqlPacket.HeaderBytes + length;
        if (!await FillAsync(count))
        {
            return default;
        }

        var packet = _bytes.AsMemory(_start, count);
        _start += count;
        return packet;
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_bytes);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
        (_start, _end) = (0, 0);
    }

    /// <summary>Receives until so many bytes are there.</summary>
    private async ValueTask<bool> FillAsync(int count)
    {
        if (_bytes.Length - _start < count)
        {
            MakeRoom(count);
        }

        while (_end - _start < count)
        {
            if (await connection.ReceiveAsync(_bytes.AsMemory(_end)) is not { IsOk: true, Count: > 0 and var received })
            {
                return false;
            }

            _end += received;
        }

        return true;
    }

    private void MakeRoom(int count)
    {
        var old = _bytes;
        if (old.Length < count)
        {
            _bytes = ArrayPool<byte>.Shared.Rent(count);
        }

        old.AsSpan(_start.._end).CopyTo(_bytes);
        (_start, _end) = (0, _end - _start);
        if (old != _bytes)
        {
            CryptographicOperations.ZeroMemory(old);
            ArrayPool<byte>.Shared.Return(old);
        }
    }
}
