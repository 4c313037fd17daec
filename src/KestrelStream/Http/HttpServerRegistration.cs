using KestrelStream.Management;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace KestrelStream.Http;

/// <summary>Puts <see cref="HttpServer"/> around the server of an app. Its presence among the services shows that this was done.</summary>
internal sealed class HttpServerRegistration
{
    /// <exception cref="InvalidOperationException">There is none yet.</exception>
    public static void Wrap(IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(HttpServerRegistration)))
        {
            return;
        }

        if (!services.Any(service => service.ServiceType == typeof(IServer)))
        {
            throw new InvalidOperationException("ServeHttp() needs the app's HTTP server: call it on the builder of a web app, behind UseKestrel.");
        }

        services.AddSingleton<HttpServerRegistration>();
        services.Wrap<IServer>((provider, own) => new HttpServer(
            provider.GetRequiredService<HttpApp>(), own, provider.GetRequiredService<IOptions<KestrelServerOptions>>(), provider));
    }
}
