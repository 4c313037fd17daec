using KestrelStream.Configuration;

namespace KestrelStream.Http;

/// <summary>Where the HTTP pipeline for routes with <c>Action: Http</c> comes from. Thread-safe.</summary>
internal interface IHttpAppSource
{
    /// <summary>Why there is none, as the end of a message; null = there is one.</summary>
    string? WhyNot { get; }

    /// <summary>Before a configuration is applied that needs it, at start and at every reload.</summary>
    /// <returns>What is wrong with its own configuration.</returns>
    Task<IReadOnlyList<ConfigError>> PrepareAsync(StreamProxyConfig config, CancellationToken cancellationToken);
}
