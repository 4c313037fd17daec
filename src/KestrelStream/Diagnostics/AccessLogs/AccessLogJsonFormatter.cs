using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text.Json;
using KestrelStream.Dialing;

namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>One JSON object a line, ASCII only: the writer's default encoder escapes control characters and everything beyond ASCII.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Disposing a JSON writer flushes it, which each record's end has done.")]
internal sealed class AccessLogJsonFormatter(IBufferWriter<byte> output) : AccessLogFormatter
{
    private static readonly JsonEncodedText s_destination = JsonEncodedText.Encode("destination");
    private static readonly JsonEncodedText s_address = JsonEncodedText.Encode("address");
    private static readonly JsonEncodedText s_result = JsonEncodedText.Encode("result");
    private static readonly JsonEncodedText s_milliseconds = JsonEncodedText.Encode("ms");
    private static readonly JsonEncodedText s_detail = JsonEncodedText.Encode("detail");

    private readonly Utf8JsonWriter _json = new(output, new JsonWriterOptions { SkipValidation = true });

    public override void Write(AccessLogField field, string? value)
    {
        if (value is not null)
        {
            _json.WriteString(field.JsonName, value);
        }
    }

    public override void Write(AccessLogField field, bool? value)
    {
        if (value is { } isTrue)
        {
            _json.WriteBoolean(field.JsonName, isTrue);
        }
    }

    public override void Write(AccessLogField field, IReadOnlyList<DialAttempt> attempts)
    {
        Span<byte> text = stackalloc byte[80];
        _json.WriteStartArray(field.JsonName);
        foreach (var attempt in attempts)
        {
            _json.WriteStartObject();
            _json.WriteString(s_destination, attempt.Destination);
            if (attempt.Address is IPEndPoint ip)
            {
                _json.WriteString(s_address, text[..FormatEndPoint(ip, text)]);
            }
            else if (attempt.Address is not null)
            {
                _json.WriteString(s_address, EndPointText.Of(attempt.Address));
            }

            _json.WriteString(s_result, ConnectStatuses.NameOf(attempt.Result));
            _json.WritePropertyName(s_milliseconds);
            _json.WriteRawValue(text[..FormatMilliseconds(attempt.Elapsed, text)], skipInputValidation: true);
            if (attempt.Detail is not null)
            {
                _json.WriteString(s_detail, attempt.Detail);
            }

            _json.WriteEndObject();
        }

        _json.WriteEndArray();
    }

    protected override void Begin()
    {
        _json.Reset();
        _json.WriteStartObject();
    }

    protected override void WriteToken(AccessLogField field, ReadOnlySpan<byte> value) => _json.WriteString(field.JsonName, value);

    protected override void WriteNumber(AccessLogField field, ReadOnlySpan<byte> value)
    {
        _json.WritePropertyName(field.JsonName);
        _json.WriteRawValue(value, skipInputValidation: true);
    }

    protected override void End()
    {
        _json.WriteEndObject();
        _json.Flush();
        output.Write("\n"u8);
    }
}
