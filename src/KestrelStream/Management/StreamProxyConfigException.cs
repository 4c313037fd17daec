using KestrelStream.Configuration;

namespace KestrelStream.Management;

/// <summary>The configuration that the proxy was to start with has mistakes.</summary>
public sealed class StreamProxyConfigException(IReadOnlyList<ConfigError> errors)
    : Exception($"The stream proxy's configuration has {errors.Count} error(s):{Environment.NewLine}{string.Join(Environment.NewLine, errors)}")
{
    /// <summary>All of them.</summary>
    public IReadOnlyList<ConfigError> Errors { get; } = errors;
}
