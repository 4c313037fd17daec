using System.Text.Json;
using System.Text.Json.Serialization;

namespace KestrelStream.Management;

/// <summary>One thing that runs otherwise than the source of the configuration has it now.</summary>
/// <param name="Path">Of the key.</param>
/// <param name="Running">What runs; null = nothing.</param>
/// <param name="File">What the source says; null = nothing.</param>
/// <param name="Error">What is wrong with the source: a reload would be rejected. Null = nothing.</param>
internal sealed record ConfigDifference(
    string Path,
    JsonElement? Running,
    JsonElement? File,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error = null);
