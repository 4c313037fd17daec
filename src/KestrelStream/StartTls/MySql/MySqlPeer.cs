using KestrelStream.Transport;
using KestrelStream.Transport.EventLoop;

namespace KestrelStream.StartTls.MySql;

/// <summary>One side of a login: its packets, and the number of the next one, whoever sends it. Of one session; not thread-safe.</summary>
/// <param name="connection">Its plain bytes.</param>
/// <param name="next">Number of the packet that is sent or read next.</param>
internal sealed class MySqlPeer(StreamConnection connection, byte next) : IDisposable
{
    private readonly MySqlPacketReader _packets = new(connection, MySqlRequest.MaxPayload);
    private byte _next = next;
    private bool _isUnread;

    public StreamConnection Connection => connection;

    /// <summary>The last packet that was read, with its header.</summary>
    public Memory<byte> Last { get; private set; }

    /// <summary>Its last packet has a wrong number, or is longer than any here.</summary>
    public bool IsViolated { get; private set; }

    /// <summary>With its header, until the next one is read; empty = it is gone, or <see cref="IsViolated"/>.</summary>
    public async ValueTask<Memory<byte>> ReadAsync()
    {
        if (_isUnread)
        {
            _isUnread = false;
            return Last;
        }

        Last = await _packets.ReadAsync();
        IsViolated = Last.IsEmpty ? _packets.IsTooLong : MySqlPacket.NumberOf(Last.Span) != _next;
        if (IsViolated)
        {
            Last = default;
        }

        _next++;
        return Last;
    }

    /// <summary>The last packet is read once more.</summary>
    public void Unread() => _isUnread = true;

    /// <summary>Sends a packet under the number that it has here, whichever it came with.</summary>
    public async ValueTask<bool> SendAsync(Memory<byte> packet)
    {
        packet.Span[MySqlPacket.HeaderBytes - 1] = _next++;
        return (await connection.SendAsync(packet)).IsOk;
    }

    /// <summary>What was received behind the last packet; the connection is for others to read then. Null = it cannot go on.</summary>
    public async ValueTask<ReadOnlyMemory<byte>?> LetGoAsync()
    {
        var rest = _packets.Rest.ToArray();
        if (connection is not LoopTlsConnection tls)
        {
            return rest;
        }

        return await tls.LetGoAsync() is { } more ? (byte[])[.. rest, .. more] : null;
    }

    public void Dispose() => _packets.Dispose();
}
