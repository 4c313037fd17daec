using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using KestrelStream.Dialing;

namespace KestrelStream.Diagnostics;

/// <summary>One JSON object a line, ASCII only: the writer's default encoder escapes control characters and everything beyond ASCII.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Disposing a JSON writer flushes it, which each record's end has done.")]
internal sealed class AccessLogJsonFormatter(IBufferWriter<byte> output) : AccessLogFormatter
{
    private readonly Utf8JsonWriter _json = new(output, new JsonWriterOptions { SkipValidation = true });

    protected override void Begin()
    {
        _json.Reset();
        _json.WriteStartObject();
    }

    protected override void Write(ReadOnlySpan<byte> key, string? value)
    {
        if (value is not null)
        {
            _json.WriteString(key, value);
        }
    }

    protected override void Write(ReadOnlySpan<byte> key, bool? value)
    {
        if (value is { } isTrue)
        {
            _json.WriteBoolean(key, isTrue);
        }
    }

    protected override void Write(ReadOnlySpan<byte> key, long value) => _json.WriteNumber(key, value);

    protected override void Write(ReadOnlySpan<byte> key, TimeSpan value) => _json.WriteNumber(key, Milliseconds(value));

    protected override void Write(ReadOnlySpan<byte> key, IReadOnlyList<DialAttempt> attempts)
    {
        _json.WriteStartArray(key);
        foreach (var attempt in attempts)
        {
            _json.WriteStartObject();
            Write("destination"u8, attempt.Destination);
            Write("address"u8, EndPointText.Of(attempt.Address));
            Write("result"u8, ConnectStatuses.NameOf(attempt.Result));
            Write("ms"u8, attempt.Elapsed);
            Write("detail"u8, attempt.Detail);
            _json.WriteEndObject();
        }

        _json.WriteEndArray();
    }

    protected override void End()
    {
        _json.WriteEndObject();
        _json.Flush();
        output.Write("\n"u8);
    }
}
