namespace KestrelStream.Configuration;

/// <summary>What a source gave: a configuration, or every mistake that was found while reading it.</summary>
/// <param name="Config">As far as it could be read; complete only when there are no errors.</param>
/// <param name="Errors">All mistakes of reading: unknown keys, values of the wrong form.</param>
public sealed record ConfigResult(StreamProxyConfig Config, IReadOnlyList<ConfigError> Errors)
{
    /// <summary>Name under which the source holds the configuration; paths of errors start with it. Default <c>StreamProxy</c>.</summary>
    public string Section { get; init; } = ConfigurationReader.DefaultSection;
}
