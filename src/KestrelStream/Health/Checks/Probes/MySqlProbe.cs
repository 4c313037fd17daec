using System.Buffers.Binary;
using System.Text;
using KestrelStream.StartTls.MySql;

namespace KestrelStream.Health.Checks.Probes;

/// <summary>
/// The greeting of MySQL and MariaDB: protocol version 10. A server that greets with an error (too many connections, host blocked) takes
/// no sessions.
/// </summary>
/// <remarks>
/// A connection that ends behind the greeting counts against its host, and after max_connect_errors (100) of them the server blocks the
/// host: here, every session of the proxy. A login that is refused does not count. So the check tries one, without a password, and
/// leaves when it has the answer, whatever that is.
/// </remarks>
internal sealed class MySqlProbe(string user) : IHealthProbe
{
    private const int Header = MySqlPacket.HeaderBytes;
    private const int MaxPacket = MySqlPacket.MaxGreetingBytes;
    private const MySqlCapabilities Capabilities =
        MySqlCapabilities.LongPassword | MySqlCapabilities.Protocol41 | MySqlCapabilities.SecureConnection | MySqlCapabilities.PluginAuth;
    private const byte Utf8 = 33;

    private static readonly byte[] Quit = [1, 0, 0, 0, 1];

    private readonly byte[] _login = CreateLogin(user);

    public async ValueTask<ProbeResult> ProbeAsync(ProbeConnection connection)
    {
        if (!await connection.ReceiveAsync(Header + 1))
        {
            return ProbeResult.Unexpected("the connection ended before a greeting", connection.Received);
        }

        var length = MySqlPacket.LengthOf(connection.Received);
        if (length is 0 or > MaxPacket || MySqlPacket.NumberOf(connection.Received) != 0 || connection.Received[Header] is not (MySqlPacket.ProtocolVersion or MySqlPacket.Error))
        {
            return ProbeResult.Unexpected("not a MySQL greeting", connection.Received);
        }

        if (!await connection.ReceiveAsync(Header + length))
        {
            return ProbeResult.Unexpected("the connection ended within the greeting", connection.Received);
        }

        var result = Judge(connection.Received.Slice(Header, length));
        if (result.Result == CheckResult.Healthy)
        {
            connection.Consume(Header + length);
            await LeaveAsync(connection);
        }

        return result;
    }

    /// <summary>A login to its end. Nothing in it is judged.</summary>
    private async ValueTask LeaveAsync(ProbeConnection connection)
    {
        if (!await connection.SendAsync(_login))
        {
            return;
        }

        while (await connection.ReceiveAsync(Header + 1) && MySqlPacket.LengthOf(connection.Received) is > 0 and <= MaxPacket and var length && await connection.ReceiveAsync(Header + length))
        {
            var (sequence, kind) = (MySqlPacket.NumberOf(connection.Received), connection.Received[Header]);
            connection.Consume(Header + length);
            if (kind != MySqlPacket.AuthSwitch)
            {
                if (kind == MySqlPacket.Ok)
                {
                    await connection.SendAsync(Quit);
                }

                return;
            }

            // An empty answer is the empty password, whatever the method.
            if (!await connection.SendAsync(new byte[] { 0, 0, 0, (byte)(sequence + 1) }))
            {
                return;
            }
        }
    }

    private static byte[] CreateLogin(string user)
    {
        var name = Encoding.UTF8.GetBytes(user + "\0");
        var method = "mysql_native_password\0"u8;
        var body = new byte[32 + name.Length + 1 + method.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(body, (uint)Capabilities);
        BinaryPrimitives.WriteInt32LittleEndian(body.AsSpan(4), MaxPacket);
        body[8] = Utf8;
        name.CopyTo(body, 32);
        method.CopyTo(body.AsSpan(32 + name.Length + 1));
        return MySqlPacket.Create(body, number: 1);
    }

    private static ProbeResult Judge(ReadOnlySpan<byte> packet)
    {
        if (packet[0] == MySqlPacket.Error)
        {
            return packet.Length < 3
                ? ProbeResult.Unexpected("not a MySQL greeting", packet)
                : ProbeResult.Unexpected($"error {BinaryPrimitives.ReadUInt16LittleEndian(packet[1..])}", packet[3..]);
        }

        return MySqlGreeting.TryReadVersion(packet, out var version) ? ProbeResult.Healthy(version) : ProbeResult.Unexpected("not a MySQL greeting", packet);
    }
}
