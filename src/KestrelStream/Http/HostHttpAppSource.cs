using KestrelStream.Configuration;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelStream.Http;

/// <summary>The app that hosts the proxy: its server was wrapped by <c>ServeHttp()</c>, and starts by itself. Thread-safe.</summary>
internal sealed class HostHttpAppSource(IServiceProvider services) : IHttpAppSource
{
    public string? WhyNot => services.GetService<IServer>() switch
    {
        HttpServer => null,
        null => "this app has no HTTP server",
        _ when services.GetService<HttpServerRegistration>() is null => "the app does not give its pipeline; call ServeHttp() behind AddStreamProxy()",
        _ => "another HTTP server was registered behind ServeHttp(); call it last",
    };

    public Task<IReadOnlyList<ConfigError>> PrepareAsync(StreamProxyConfig config, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<ConfigError>>([]);
}
