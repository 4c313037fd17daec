using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace KestrelStream.Http;

/// <summary>The app's HTTP server with the sessions that are handed over beside its own connections: both get the same pipeline. Owned by the app.</summary>
/// <param name="http">Serves the sessions.</param>
/// <param name="own">Serves the app's URLs; null = it has none.</param>
/// <param name="options">Of the app's Kestrel.</param>
/// <param name="services">Of the app.</param>
internal sealed class HttpServer(HttpApp http, IServer? own, IOptions<KestrelServerOptions> options, IServiceProvider services) : IServer
{
    private readonly FeatureCollection _none = new();

    public IFeatureCollection Features => own?.Features ?? _none;

    public async Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
        where TContext : notnull
    {
        if (own is not null)
        {
            await own.StartAsync(application, cancellationToken);
        }

        options.Value.ApplicationServices ??= services;
        await http.StartAsync(application, options.Value, cancellationToken);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await http.StopAsync(cancellationToken);
        if (own is not null)
        {
            await own.StopAsync(cancellationToken);
        }
    }

    /// <summary>What it uses belongs to the services that made it.</summary>
    public void Dispose()
    {
    }
}
