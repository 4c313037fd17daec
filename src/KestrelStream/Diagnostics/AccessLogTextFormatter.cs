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
    /// <summary>Longest form of a number, with room to spare.</summary>
    private const int MaxNumberBytes = 32;

    private static readonly SearchValues<byte> Plain = SearchValues.Create([.. Enumerable.Range(0x21, 0x7f - 0x21).Select(b => (byte)b).Except("\"\\"u8.ToArray())]);

    private readonly ArrayBufferWriter<byte> _value = new();
    private bool _isFirst;

    protected override void Begin() => _isFirst = true;

    protected override void Write(ReadOnlySpan<byte> key, string? value)
    {
        if (value is null)
        {
            return;
        }

        _value.ResetWrittenCount();
        Encoding.UTF8.GetBytes(value, _value);
        Write(key, _value.WrittenSpan);
    }

    protected override void Write(ReadOnlySpan<byte> key, bool? value)
    {
        if (value is { } isTrue)
        {
            Write(key, isTrue ? "true"u8 : "false"u8);
        }
    }

    protected override void Write(ReadOnlySpan<byte> key, long value)
    {
        WriteKey(key);
        WriteNumber(output, value);
    }

    protected override void Write(ReadOnlySpan<byte> key, TimeSpan value)
    {
        WriteKey(key);
        WriteNumber(output, Milliseconds(value));
    }

    /// <summary><c>destination,address,result,ms</c>, a semicolon between two dials.</summary>
    protected override void Write(ReadOnlySpan<byte> key, IReadOnlyList<DialAttempt> attempts)
    {
        _value.ResetWrittenCount();
        foreach (var attempt in attempts)
        {
            if (_value.WrittenCount > 0)
            {
                _value.Write(";"u8);
            }

            Encoding.UTF8.GetBytes(attempt.Destination, _value);
            _value.Write(","u8);
            Encoding.UTF8.GetBytes(EndPointText.Of(attempt.Address), _value);
            _value.Write(","u8);
            Encoding.UTF8.GetBytes(ConnectStatuses.NameOf(attempt.Result), _value);
            _value.Write(","u8);
            WriteNumber(_value, Milliseconds(attempt.Elapsed));
        }

        Write(key, _value.WrittenSpan);
    }

    protected override void End() => output.Write("\n"u8);

    private static void WriteNumber<T>(IBufferWriter<byte> to, T number)
        where T : IUtf8SpanFormattable
    {
        var fits = number.TryFormat(to.GetSpan(MaxNumberBytes), out var length, default, CultureInfo.InvariantCulture);
        System.Diagnostics.Debug.Assert(fits);
        to.Advance(length);
    }

    private void Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        WriteKey(key);
        if (!value.IsEmpty && !value.ContainsAnyExcept(Plain))
        {
            output.Write(value);
        }
        else
        {
            WriteQuoted(value);
        }
    }

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

    private void WriteQuoted(ReadOnlySpan<byte> value)
    {
        // Each byte becomes four at most.
        var line = output.GetSpan((value.Length * 4) + 2);
        var length = 0;
        line[length++] = (byte)'"';
        foreach (var b in value)
        {
            if (Plain.Contains(b))
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
