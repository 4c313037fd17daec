using KestrelStream.Configuration;

namespace KestrelStream.Management;

/// <summary>End of a reload.</summary>
/// <param name="IsApplied">New sessions use the new configuration; false = nothing has changed.</param>
/// <param name="Errors">Why it was rejected.</param>
public sealed record ReloadResult(bool IsApplied, IReadOnlyList<ConfigError> Errors);
