using System.Buffers;
using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using KestrelStream.Dialing;

namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>One JSON object a line, ASCII only: the default encoder of JSON escapes control characters and everything beyond ASCII.</summary>
/// <remarks>Not by <see cref="System.Text.Json.Utf8JsonWriter"/>: names are made once with what stands around them, which takes half of a record's time away.</remarks>
internal sealed class AccessLogJsonFormatter(IBufferWriter<byte> output) : AccessLogFormatter
{
    /// <summary>Characters that the encoder leaves as they are.</summary>
    private static readonly SearchValues<char> s_plain = SearchValues.Create(
        [.. Enumerable.Range(0, 128).Select(i => (char)i).Where(c => JavaScriptEncoder.Default.Encode(c.ToString()) == c.ToString())]);

    // The line as far as it has come. Fields are short and many: handing over each of them costs more than making it.
    private readonly ArrayBufferWriter<byte> _line = new(1024);

    /// <summary>Nothing of the record has been written: no comma before the next field.</summary>
    private bool _isEmpty;

    public override void Write(AccessLogField field, string? value)
    {
        if (value is not null)
        {
            AppendName(field);
            Append("\""u8, value, "\""u8);
        }
    }

    public override void Write(AccessLogField field, bool? value)
    {
        if (value is { } isTrue)
        {
            WriteNumber(field, isTrue ? "true"u8 : "false"u8);
        }
    }

    public override void Write(AccessLogField field, IReadOnlyList<DialAttempt> attempts)
    {
        Span<byte> text = stackalloc byte[80];
        AppendName(field);
        var before = "[{\"destination\":\""u8;
        foreach (var attempt in attempts)
        {
            Append(before, attempt.Destination, "\""u8);
            before = ",{\"destination\":\""u8;
            if (attempt.Address is IPEndPoint ip)
            {
                Append(",\"address\":\""u8, text[..FormatEndPoint(ip, text)], "\""u8);
            }
            else if (attempt.Address is not null)
            {
                Append(",\"address\":\""u8, EndPointText.Of(attempt.Address) ?? "", "\""u8);
            }

            Append(",\"result\":\""u8, ConnectStatuses.NameOf(attempt.Result), "\",\"ms\":"u8);
            Append(text[..FormatMilliseconds(attempt.Elapsed, text)], [], []);
            if (attempt.Detail is not null)
            {
                Append(",\"detail\":\""u8, attempt.Detail, "\""u8);
            }

            Append("}"u8, [], []);
        }

        Append(attempts.Count == 0 ? "[]"u8 : "]"u8, [], []);
    }

    protected override void Begin()
    {
        _isEmpty = true;
        _line.ResetWrittenCount();
    }

    protected override void WriteToken(AccessLogField field, ReadOnlySpan<byte> value)
    {
        AppendName(field);
        Append("\""u8, value, "\""u8);
    }

    protected override void WriteNumber(AccessLogField field, ReadOnlySpan<byte> value)
    {
        AppendName(field);
        Append(value, [], []);
    }

    protected override void End()
    {
        Append(_isEmpty ? "{}\n"u8 : "}\n"u8, [], []);
        output.Write(_line.WrittenSpan);
    }

    private void AppendName(AccessLogField field)
    {
        if (_isEmpty)
        {
            Append("{"u8, field.JsonName.AsSpan(1), []);
            _isEmpty = false;
        }
        else
        {
            Append(field.JsonName, [], []);
        }
    }

    private void Append(ReadOnlySpan<byte> before, ReadOnlySpan<byte> value, ReadOnlySpan<byte> after)
    {
        var room = _line.GetSpan(before.Length + value.Length + after.Length);
        before.CopyTo(room);
        value.CopyTo(room[before.Length..]);
        after.CopyTo(room[(before.Length + value.Length)..]);
        _line.Advance(before.Length + value.Length + after.Length);
    }

    /// <summary>A text from anywhere, escaped.</summary>
    private void Append(ReadOnlySpan<byte> before, string value, ReadOnlySpan<byte> after)
    {
        if (value.AsSpan().ContainsAnyExcept(s_plain))
        {
            value = JavaScriptEncoder.Default.Encode(value);
        }

        var room = _line.GetSpan(before.Length + value.Length + after.Length);
        before.CopyTo(room);
        Ascii.FromUtf16(value, room[before.Length..], out _);
        after.CopyTo(room[(before.Length + value.Length)..]);
        _line.Advance(before.Length + value.Length + after.Length);
    }
}
