using System.Buffers;
using System.Buffers.Text;
using System.Text;
using KestrelStream.Dialing;

namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>
/// Text of which every byte is plain: bytes other than printable ASCII, blanks, quotes and backslashes become <c>\xHH</c>. So a line can be split at blanks and
/// quotes, whatever a client has sent.
/// </summary>
internal static class PlainText
{
    private static readonly SearchValues<byte> s_plain = SearchValues.Create([.. Enumerable.Range(0x21, 0x7f - 0x21).Select(b => (byte)b).Except("\"\\"u8.ToArray())]);

    public static bool IsPlain(ReadOnlySpan<byte> value) => !value.ContainsAnyExcept(s_plain);

    public static void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> value)
    {
        // Each byte becomes four at most.
        var line = output.GetSpan(value.Length * 4);
        var length = 0;
        foreach (var b in value)
        {
            if (s_plain.Contains(b))
            {
                line[length++] = b;
                continue;
            }

            line[length++] = (byte)'\\';
            line[length++] = (byte)'x';
            line[length++] = HexDigit(b >> 4);
            line[length++] = HexDigit(b & 0xf);
        }

        output.Advance(length);
    }

    /// <summary><c>destination,address,result,ms</c>, a semicolon between two dials. Not plain yet.</summary>
    public static void WriteAttempts(IBufferWriter<byte> output, IReadOnlyList<DialAttempt> attempts)
    {
        var isFirst = true;
        foreach (var attempt in attempts)
        {
            output.Write(isFirst ? ""u8 : ";"u8);
            isFirst = false;
            Encoding.UTF8.GetBytes(attempt.Destination, output);
            output.Write(","u8);
            Encoding.UTF8.GetBytes(EndPointText.Of(attempt.Address), output);
            output.Write(","u8);
            Encoding.UTF8.GetBytes(ConnectStatuses.NameOf(attempt.Result), output);
            output.Write(","u8);
            Utf8Formatter.TryFormat(Math.Round(attempt.Elapsed.TotalMilliseconds, 3), output.GetSpan(40), out var length);
            output.Advance(length);
        }
    }

    private static byte HexDigit(int value) => "0123456789abcdef"u8[value];
}
