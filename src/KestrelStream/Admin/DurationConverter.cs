using System.Text.Json;
using System.Text.Json.Serialization;
using KestrelStream.Configuration;

namespace KestrelStream.Admin;

/// <summary>Times as the configuration writes them.</summary>
internal sealed class DurationConverter : JsonConverter<TimeSpan>
{
    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        => Duration.TryParse(reader.GetString() ?? "", out var value) ? value : throw new JsonException();

    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) => writer.WriteStringValue(Duration.Format(value));
}
