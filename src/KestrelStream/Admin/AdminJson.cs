using System.Text.Json.Serialization;
using KestrelStream.Admin.Explaining;
using KestrelStream.Management;

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
[JsonSerializable(typeof(IEnumerable<ApiIssuance>))]
[JsonSerializable(typeof(IEnumerable<ApiSession>))]
[JsonSerializable(typeof(IEnumerable<ApiCertificate>))]
[JsonSerializable(typeof(IEnumerable<ApiRefused>))]
[JsonSerializable(typeof(IEnumerable<ApiConfigEvent>))]
[JsonSerializable(typeof(ApiAccess))]
[JsonSerializable(typeof(ApiExplanation))]
[JsonSerializable(typeof(ApiHealth))]
[JsonSerializable(typeof(ApiReadiness))]
[JsonSerializable(typeof(ApiProblem))]
[JsonSerializable(typeof(ApiDestinationSettings))]
[JsonSerializable(typeof(ApiClosed))]
[JsonSerializable(typeof(ApiRollback))]
[JsonSerializable(typeof(IReadOnlyList<ConfigDifference>))]
[JsonSerializable(typeof(string))]
internal sealed partial class AdminJson : JsonSerializerContext;
