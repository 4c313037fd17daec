using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KestrelStream.Configuration;

namespace KestrelStream.Admin;

/// <summary>Writes a configuration without its secrets, wherever in it they are.</summary>
internal static class ConfigRedaction
{
    private const string Redacted = "***";

    /// <summary>Not a field of <see cref="AdminJson"/>: it needs that type's own static fields, which the compiler's part initializes later.</summary>
    public static JsonTypeInfo<ApiConfig> ApiConfig { get; } = Create();

    /// <summary>With the keys of the configuration, and with its secrets: for comparing, not for showing.</summary>
    public static JsonTypeInfo<StreamProxyConfig> KeysAsWritten { get; }
        = (JsonTypeInfo<StreamProxyConfig>)new JsonSerializerOptions(AdminJson.Default.Options) { PropertyNamingPolicy = null }.GetTypeInfo(typeof(StreamProxyConfig));

    /// <summary>A value of the configuration without the secrets that are in it.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="value">Of any kind.</param>
    public static JsonElement Redact(string key, JsonElement value)
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json))
        {
            Write(writer, key, value);
        }

        using var document = JsonDocument.Parse(json.WrittenMemory);
        return document.RootElement.Clone();
    }

    private static void Write(Utf8JsonWriter writer, string key, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.String && IsSecret(key))
        {
            writer.WriteStringValue(Redacted);
        }
        else if (value.ValueKind == JsonValueKind.Object)
        {
            writer.WriteStartObject();
            foreach (var property in value.EnumerateObject())
            {
                writer.WritePropertyName(property.Name);
                Write(writer, property.Name, property.Value);
            }

            writer.WriteEndObject();
        }
        else
        {
            value.WriteTo(writer);
        }
    }

    /// <summary>As keys of the configuration are written, and as the API writes them.</summary>
    private static bool IsSecret(string key)
        => key.ToUpperInvariant() is "PASSWORD" or "TOKEN" or "HMACKEY" or "HMAC_KEY";

    private static JsonTypeInfo<ApiConfig> Create()
    {
        var options = new JsonSerializerOptions(AdminJson.Default.Options) { TypeInfoResolver = AdminJson.Default.WithAddedModifier(RedactSecrets) };
        return (JsonTypeInfo<ApiConfig>)options.GetTypeInfo(typeof(ApiConfig));
    }

    private static void RedactSecrets(JsonTypeInfo type)
    {
        foreach (var property in type.Properties)
        {
            if (IsSecret(property.Name) && property.Get is { } get)
            {
                property.Get = owner => get(owner) is null ? null : Redacted;
            }
        }
    }
}
