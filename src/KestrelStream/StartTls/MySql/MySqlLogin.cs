using System.Buffers.Binary;
using System.Text;

namespace KestrelStream.StartTls.MySql;

/// <summary>What a client answers a greeting with (HandshakeResponse41). Immutable.</summary>
/// <param name="Answer">Where the answer to the scramble is in the payload, with its length before it.</param>
/// <param name="AnswerBytes">Without that length.</param>
/// <param name="Method">How it is made: the name of a plugin; empty = that is not known.</param>
internal readonly record struct MySqlLogin(Range Answer, int AnswerBytes, string Method)
{
    /// <summary>
    /// Capabilities, largest packet, character set, filler. All of an SSLRequest, whose payload is just this.
    /// </summary>
    public const int FixedBytes = 32;

    /// <summary>Lengths of one byte; larger ones are written in two, behind this.</summary>
    private const byte TwoByteLength = 0xfc;

    public static MySqlCapabilities CapabilitiesOf(ReadOnlySpan<byte> payload) => (MySqlCapabilities)BinaryPrimitives.ReadUInt32LittleEndian(payload);

    /// <summary>False = its user or its answer is cut, or the answer is as before MySQL 4.1. What stands behind them is the server's to judge.</summary>
    public static bool TryParse(ReadOnlySpan<byte> payload, out MySqlLogin login)
    {
        login = default;
        if (payload.Length < FixedBytes)
        {
            return false;
        }

        var capabilities = CapabilitiesOf(payload);
        var at = FixedBytes;
        if ((capabilities & MySqlCapabilities.Protocol41) == 0
            || (capabilities & (MySqlCapabilities.LengthEncodedAnswer | MySqlCapabilities.SecureConnection)) == 0
            || !MySqlPacket.TryReadText(payload, ref at, out _))
        {
            return false;
        }

        var start = at;
        if (!TrySkipAnswer(payload, capabilities, ref at, out var answerBytes))
        {
            return false;
        }

        login = new MySqlLogin(start..at, answerBytes, MethodOf(payload, capabilities, at));
        return true;
    }

    private static bool TrySkipAnswer(ReadOnlySpan<byte> payload, MySqlCapabilities capabilities, ref int at, out int count)
    {
        count = 0;
        if (at >= payload.Length)
        {
            return false;
        }

        count = payload[at++];
        if ((capabilities & MySqlCapabilities.LengthEncodedAnswer) != 0 && count >= TwoByteLength - 1)
        {
            if (count != TwoByteLength || payload.Length - at < sizeof(ushort))
            {
                return false;
            }

            count = BinaryPrimitives.ReadUInt16LittleEndian(payload[at..]);
            at += sizeof(ushort);
        }

        at += count;
        return at <= payload.Length;
    }

    private static string MethodOf(ReadOnlySpan<byte> payload, MySqlCapabilities capabilities, int at)
    {
        if ((capabilities & MySqlCapabilities.PluginAuth) == 0
            || ((capabilities & MySqlCapabilities.ConnectWithDatabase) != 0 && !MySqlPacket.TryReadText(payload, ref at, out _)))
        {
            return "";
        }

        return MySqlPacket.TryReadText(payload, ref at, out var method) ? Encoding.ASCII.GetString(method) : "";
    }
}
