using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace KestrelStream.Admin;

/// <summary>Writes a configuration without its secrets, wherever in it they are.</summary>
internal static class ConfigRedaction
{
    private const string Redacted = "***";

    /// <summary>Not a field of <see cref="AdminJson"/>: it needs that type's own static fields, which the compiler's part initializes later.</summary>
    public static JsonTypeInfo<ApiConfig> ApiConfig { get; } = Create();

    private static JsonTypeInfo<ApiConfig> Create()
    {
        var options = new JsonSerializerOptions(AdminJson.Default.Options) { TypeInfoResolver = AdminJson.Default.WithAddedModifier(RedactSecrets) };
        return (JsonTypeInfo<ApiConfig>)options.GetTypeInfo(typeof(ApiConfig));
    }

    private static void RedactSecrets(JsonTypeInfo type)
    {
        foreach (var property in type.Properties)
        {
            if (property is { Name: "password" or "token", Get: { } get })
            {
                property.Get = owner => get(owner) is null ? null : Redacted;
            }
        }
    }
}
