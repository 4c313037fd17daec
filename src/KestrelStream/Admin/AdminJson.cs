using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace KestrelStream.Admin;

/// <summary>How answers are written: snake_case keys, names for enums, made at compile time.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UseStringEnumConverter = true,
    Converters = [typeof(DurationConverter)])]
[JsonSerializable(typeof(ApiConfig))]
[JsonSerializable(typeof(IEnumerable<ApiListener>))]
[JsonSerializable(typeof(IEnumerable<ApiRoute>))]
[JsonSerializable(typeof(IEnumerable<ApiCluster>))]
[JsonSerializable(typeof(IEnumerable<ApiSession>))]
[JsonSerializable(typeof(ApiExplanation))]
[JsonSerializable(typeof(ApiHealth))]
[JsonSerializable(typeof(ApiReadiness))]
[JsonSerializable(typeof(ApiProblem))]
internal sealed partial class AdminJson : JsonSerializerContext
{
    private const string Redacted = "***";

    /// <summary>Writes a configuration without its secrets, wherever in it they are.</summary>
    public static JsonTypeInfo<ApiConfig> WithoutSecrets { get; } = CreateWithoutSecrets();

    private static JsonTypeInfo<ApiConfig> CreateWithoutSecrets()
    {
        var options = new JsonSerializerOptions(Default.Options) { TypeInfoResolver = Default.WithAddedModifier(RedactSecrets) };
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
