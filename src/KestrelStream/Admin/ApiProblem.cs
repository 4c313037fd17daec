using System.Text.Json.Serialization;
using KestrelStream.Configuration;

namespace KestrelStream.Admin;

/// <summary>Problem details, RFC 9457.</summary>
/// <param name="Title">What is wrong in general.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Detail">What is wrong with this request.</param>
/// <param name="Errors">Every mistake in it, each with its path; null = not of that kind.</param>
internal sealed record ApiProblem(
    string Title,
    int Status,
    string Detail,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<ConfigError>? Errors = null);
