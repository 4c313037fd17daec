using System.Buffers;
using System.Text;
using KestrelStream.Dialing;

namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>
/// One line as the user's template has it. Values are <see cref="PlainText"/>, without quotes of their own; one that a session does not have, or that is
/// empty, is <c>-</c>, and one that is <c>-</c> itself <c>\x2d</c>.
/// </summary>
internal sealed class AccessLogTemplateFormatter(AccessLogTemplate template, IBufferWriter<byte> output) : AccessLogFormatter
{
    private readonly ArrayBufferWriter<byte> _value = new();
    private bool _hasValue;

    public override void Format(AccessLogRecord record)
    {
        foreach (var (literal, field) in template.Parts)
        {
            output.Write(literal);
            if (field is not null)
            {
                _hasValue = false;
                field.Write(this, record);
                output.Write(_hasValue ? ""u8 : "-"u8);
            }
        }

        output.Write("\n"u8);
    }

    public override void Write(AccessLogField field, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            _value.ResetWrittenCount();
            Encoding.UTF8.GetBytes(value, _value);
            WriteText();
        }
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
        if (attempts.Count > 0)
        {
            _value.ResetWrittenCount();
            PlainText.WriteAttempts(_value, attempts);
            WriteText();
        }
    }

    protected override void Begin()
    {
    }

    protected override void WriteToken(AccessLogField field, ReadOnlySpan<byte> value)
    {
        output.Write(value);
        _hasValue = true;
    }

    protected override void WriteNumber(AccessLogField field, ReadOnlySpan<byte> value) => WriteToken(field, value);

    protected override void End()
    {
    }

    private void WriteText()
    {
        _hasValue = true;
        if (_value.WrittenSpan is [(byte)'-'])
        {
            output.Write("\\x2d"u8);
        }
        else
        {
            PlainText.Write(output, _value.WrittenSpan);
        }
    }
}
