using System.Text.Json;
using System.Text.Json.Serialization;
using KestrelStream.Acme.Storage;

namespace KestrelStream.Acme.Documents;

/// <summary>How documents are read and written, made at compile time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, MaxDepth = 16)]
[JsonSerializable(typeof(DirectoryDocument))]
[JsonSerializable(typeof(OrderDocument))]
[JsonSerializable(typeof(AuthorizationDocument))]
[JsonSerializable(typeof(ChallengeDocument))]
[JsonSerializable(typeof(ProblemDocument))]
[JsonSerializable(typeof(RenewalInfoDocument))]
[JsonSerializable(typeof(StoredAccount))]
[JsonSerializable(typeof(StoredOrder))]
internal sealed partial class AcmeJson : JsonSerializerContext;
