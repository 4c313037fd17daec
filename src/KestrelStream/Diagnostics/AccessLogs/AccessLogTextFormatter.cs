using System.Buffers;
using System.Text;
using KestrelStream.Dialing;

namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>
/// One line of <c>key=value</c> pairs, a space between them. A value with other than plain ASCII stands in quotes, and each such byte in it
/// (0x00–0x20, 0x22 <c>"</c>, 0x5c <c>\</c>, 0x7f–0xff) is written <c>\xHH</c>: splitting a line at its spaces is always right.
/// </summary>
internal sealed class AccessLogTextFormatter(IBufferWriter<byte> output) : AccessLogFormatter
{
    private readonly ArrayBufferWriter<byte> _value = new();
    private bool _isFirst;

    public override void Write(AccessLogField field, string? value)
    {
        if (value is null)
        {
            return;
        }

        _value.ResetWrittenCount();
        Encoding.UTF8.GetBytes(value, _value);
        WriteText(field, _value.WrittenSpan);
    }

    public override void Write(AccessLogField field, bool? value)
    {
        if (value is { } isTrue)
        {
            WriteToken(field, isTrue ? "true"u8 : "false"u8);
        }
    }

    public override void Write(AccessLogField field, IReadOnlyList<DialAttempt> attempts)
    {
        _value.ResetWrittenCount();
        PlainText.WriteAttempts(_value, attempts);
        WriteText(field, _value.WrittenSpan);
    }

    protected override void Begin() => _isFirst = true;

    protected override void WriteToken(AccessLogField field, ReadOnlySpan<byte> value)
    {
        output.Write(_isFirst ? ""u8 : " "u8);
        _isFirst = false;
        output.Write(field.Utf8Name);
        output.Write("="u8);
        output.Write(value);
    }

    protected override void WriteNumber(AccessLogField field, ReadOnlySpan<byte> value) => WriteToken(field, value);

    protected override void End() => output.Write("\n"u8);

    private void WriteText(AccessLogField field, ReadOnlySpan<byte> value)
    {
        if (!value.IsEmpty && PlainText.IsPlain(value))
        {
            WriteToken(field, value);
            return;
        }

        WriteToken(field, "\""u8);
        PlainText.Write(output, value);
        output.Write("\""u8);
    }
}
