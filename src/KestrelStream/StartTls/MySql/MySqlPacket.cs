using System.Buffers.Binary;
using System.Text;

namespace KestrelStream.StartTls.MySql;

/// <summary>Packets of MySQL and MariaDB: three bytes of length, one that numbers them, then the payload, whose first byte is often its kind. Pure; any thread.</summary>
internal static class MySqlPacket
{
    public const int HeaderBytes = 4;

    /// <summary>A greeting; what came before 10 ended with MySQL 3.22.</summary>
    public const byte ProtocolVersion = 10;

    public const byte Ok = 0;
    public const byte MoreData = 1;
    public const byte AuthSwitch = 0xfe;
    public const byte Error = 0xff;

    /// <summary>Greetings and errors are below 600 bytes.</summary>
    public const int MaxGreetingBytes = 4096;

    public static int LengthOf(ReadOnlySpan<byte> packet) => packet[0] | packet[1] << 8 | packet[2] << 16;

    public static byte NumberOf(ReadOnlySpan<byte> packet) => packet[3];

    public static void WriteHeader(Span<byte> packet, int length, byte number)
    {
        packet[0] = (byte)length;
        packet[1] = (byte)(length >> 8);
        packet[2] = (byte)(length >> 16);
        packet[3] = number;
    }

    public static byte[] Create(ReadOnlySpan<byte> payload, byte number)
    {
        var packet = new byte[HeaderBytes + payload.Length];
        WriteHeader(packet, payload.Length, number);
        payload.CopyTo(packet.AsSpan(HeaderBytes));
        return packet;
    }

    /// <param name="number">Of the packet.</param>
    /// <param name="code">Of the server's list of errors.</param>
    /// <param name="state">SQLSTATE; clients that have not said yet what they speak get none.</param>
    /// <param name="text">For people.</param>
    public static byte[] CreateError(byte number, ushort code, string state, string text)
    {
        Span<byte> head = [Error, 0, 0];
        BinaryPrimitives.WriteUInt16LittleEndian(head[1..], code);
        return Create([.. head, .. Encoding.ASCII.GetBytes(state.Length == 0 ? text : $"#{state}{text}")], number);
    }

    /// <summary>Text up to a NUL, and where the rest begins; false = there is no NUL.</summary>
    public static bool TryReadText(ReadOnlySpan<byte> payload, scoped ref int at, out ReadOnlySpan<byte> text)
    {
        var length = payload[at..].IndexOf((byte)0);
        text = length < 0 ? default : payload.Slice(at, length);
        at += length + 1;
        return length >= 0;
    }
}
