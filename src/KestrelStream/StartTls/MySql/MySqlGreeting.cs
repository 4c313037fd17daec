using System.Buffers.Binary;

namespace KestrelStream.StartTls.MySql;

/// <summary>What a server says first (HandshakeV10). Immutable.</summary>
/// <param name="Packet">As clients get it: byte for byte the server's, except that it says the server can TLS.</param>
/// <param name="HasTls">Whether the server said so itself.</param>
/// <param name="Scramble">The random bytes that passwords are answered with.</param>
internal sealed record MySqlGreeting(byte[] Packet, bool HasTls, byte[] Scramble)
{
    public const int ScrambleBytes = 20;

    private const int FirstScrambleBytes = 8;

    /// <summary>Behind the version: thread id, first part of the scramble, filler; then the lower half of the capabilities.</summary>
    private const int CapabilitiesOffset = sizeof(uint) + FirstScrambleBytes + 1;

    /// <summary>Lower capabilities, character set, status, upper capabilities, length of the scramble, filler.</summary>
    private const int SecondScrambleOffset = CapabilitiesOffset + 2 + 1 + 2 + 2 + 1 + 10;

    private const MySqlCapabilities Needed = MySqlCapabilities.Protocol41 | MySqlCapabilities.SecureConnection;

    /// <summary>The version of the server; false = that is no greeting.</summary>
    public static bool TryReadVersion(ReadOnlySpan<byte> payload, out ReadOnlySpan<byte> version)
    {
        var at = 1;
        version = default;
        return payload is [MySqlPacket.ProtocolVersion, ..] && MySqlPacket.TryReadText(payload, ref at, out version);
    }

    /// <param name="packet">With its header; whole.</param>
    /// <param name="greeting">Null = it is no greeting, or of a server older than MySQL 4.1.</param>
    public static bool TryParse(ReadOnlySpan<byte> packet, out MySqlGreeting? greeting)
    {
        greeting = null;
        var payload = packet[MySqlPacket.HeaderBytes..];
        if (!TryReadVersion(payload, out var version))
        {
            return false;
        }

        var fixedPart = 1 + version.Length + 1;
        var rest = payload[fixedPart..];
        if (rest.Length < SecondScrambleOffset + ScrambleBytes - FirstScrambleBytes)
        {
            return false;
        }

        var capabilities = (MySqlCapabilities)BinaryPrimitives.ReadUInt16LittleEndian(rest[CapabilitiesOffset..]);
        if ((capabilities & Needed) != Needed)
        {
            return false;
        }

        var relayed = packet.ToArray();
        BinaryPrimitives.WriteUInt16LittleEndian(relayed.AsSpan(MySqlPacket.HeaderBytes + fixedPart + CapabilitiesOffset), (ushort)(capabilities | MySqlCapabilities.Ssl));
        byte[] scramble = [.. rest.Slice(sizeof(uint), FirstScrambleBytes), .. rest.Slice(SecondScrambleOffset, ScrambleBytes - FirstScrambleBytes)];
        greeting = new MySqlGreeting(relayed, (capabilities & MySqlCapabilities.Ssl) != 0, scramble);
        return true;
    }
}
