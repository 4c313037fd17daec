using System.Buffers;
using System.Globalization;
using System.Text;
using KestrelStream.Dialing;

namespace KestrelStream.Diagnostics;

/// <summary>
/// One line of <c>key=value</c> pairs, a space between them. A value with other than plain ASCII stands in quotes, and each such byte in it
/// (0x00–0x20, 0x22 <c>"</c>, 0x5c <c>\</c>, 0x7f–0xff) is written <c>\xHH</c>: splitting a line at its spaces is always right.
/// </summary>
internal sealed class AccessLogTextFormatter(IBufferWriter<byte> output) : AccessLogFormatter
{
    private readonly StringBuilder _attempts = new();
    private bool _isFirst;

    protected override void Begin() => _isFirst = true;

    protected override void Write(ReadOnlySpan<byte> key, string? value)
    {
        if (value is null)
        {
            return;
        }

        WriteKey(key);
        var bytes = Encoding.UTF8.GetBytes(value);
        if (bytes.Length > 0 && Array.TrueForAll(bytes, IsPlain))
        {
            output.Write(bytes);
        }
        else
        {
            WriteQuoted(bytes);
        }
    }

    protected override void Write(ReadOnlySpan<byte> key, bool? value)
    {
        if (value is { } isTrue)
        {
            Write(key, isTrue ? "true" : "false");
        }
    }

    protected override void Write(ReadOnlySpan<byte> key, long value) => Write(key, value.ToString(CultureInfo.InvariantCulture));

    protected override void Write(ReadOnlySpan<byte> key, TimeSpan value) => Write(key, Number(value));

    /// <summary><c>destination,address,result,ms</c>, a semicolon between two dials.</summary>
    protected override void Write(ReadOnlySpan<byte> key, IReadOnlyList<DialAttempt> attempts)
    {
        _attempts.Clear();
        foreach (var attempt in attempts)
        {
            _attempts.Append(_attempts.Length == 0 ? "" : ";")
                .Append(attempt.Destination).Append(',')
                .Append(EndPointText.Of(attempt.Address)).Append(',')
                .Append(ConnectStatuses.NameOf(attempt.Result)).Append(',')
                .Append(Number(attempt.Elapsed));
        }

        Write(key, _attempts.ToString());
    }

    protected override void End() => output.Write("\n"u8);

    private static string Number(TimeSpan time) => Milliseconds(time).ToString(CultureInfo.InvariantCulture);

    private static bool IsPlain(byte b) => b is >= 0x21 and <= 0x7e and not ((byte)'"' or (byte)'\\');

    private void WriteKey(ReadOnlySpan<byte> key)
    {
        if (!_isFirst)
        {
            output.Write(" "u8);
        }

        _isFirst = false;
        output.Write(key);
        output.Write("="u8);
    }

    private void WriteQuoted(ReadOnlySpan<byte> bytes)
    {
        // Each byte becomes four at most.
        var line = output.GetSpan((bytes.Length * 4) + 2);
        var length = 0;
        line[length++] = (byte)'"';
        foreach (var b in bytes)
        {
            if (IsPlain(b))
            {
                line[length++] = b;
                continue;
            }

            line[length++] = (byte)'\\';
            line[length++] = (byte)'x';
            line[length++] = HexDigit(b >> 4);
            line[length++] = HexDigit(b & 0xf);
        }

        line[length++] = (byte)'"';
        output.Advance(length);
    }

    private static byte HexDigit(int value) => "0123456789abcdef"u8[value];
}
