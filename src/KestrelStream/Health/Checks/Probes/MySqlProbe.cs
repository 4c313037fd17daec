using System.Buffers.Binary;

namespace KestrelStream.Health.Checks.Probes;

/// <summary>The greeting of MySQL and MariaDB: protocol version 10. A server that greets with an error (too many connections, host blocked) takes no sessions.</summary>
internal sealed class MySqlProbe : IHealthProbe
{
    private const int Header = 4;
    private const byte ProtocolVersion = 10;
    private const byte Error = 0xff;

    /// <summary>Greetings and errors are below 600 bytes.</summary>
    private const int MaxPacket = 4096;

    public async ValueTask<ProbeResult> ProbeAsync(ProbeConnection connection)
    {
        if (!await connection.ReceiveAsync(Header + 1))
        {
            return ProbeResult.Unexpected("the connection ended before a greeting", connection.Received);
        }

        var length = connection.Received[0] | connection.Received[1] << 8 | connection.Received[2] << 16;
        if (length is 0 or > MaxPacket || connection.Received[3] != 0 || connection.Received[Header] is not (ProtocolVersion or Error))
        {
            return ProbeResult.Unexpected("not a MySQL greeting", connection.Received);
        }

        return await connection.ReceiveAsync(Header + length)
            ? Judge(connection.Received.Slice(Header, length))
            : ProbeResult.Unexpected("the connection ended within the greeting", connection.Received);
    }

    private static ProbeResult Judge(ReadOnlySpan<byte> packet)
    {
        if (packet[0] == Error)
        {
            return packet.Length < 3
                ? ProbeResult.Unexpected("not a MySQL greeting", packet)
                : ProbeResult.Unexpected($"error {BinaryPrimitives.ReadUInt16LittleEndian(packet[1..])}", packet[3..]);
        }

        var version = packet[1..];
        var end = version.IndexOf((byte)0);
        return end < 0 ? ProbeResult.Unexpected("not a MySQL greeting", packet) : ProbeResult.Healthy(version[..end]);
    }
}
