using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace KestrelStream.Http;

/// <summary>Puts <see cref="HttpServer"/> around the server of an app. Its presence among the services shows that this was done.</summary>
internal sealed class HttpServerRegistration
{
    private static readonly object OwnServer = new();

    /// <exception cref="InvalidOperationException">There is none yet.</exception>
    public static void Wrap(IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(HttpServerRegistration)))
        {
            return;
        }

        var own = services.LastOrDefault(service => service.ServiceType == typeof(IServer) && !service.IsKeyedService)
            ?? throw new InvalidOperationException("ServeHttp() needs the app's HTTP server: call it on the builder of a web app, behind UseKestrel.");
        services.Remove(own);
        services.Add(Keyed(own));
        services.AddSingleton<HttpServerRegistration>();
        services.AddSingleton<IServer>(provider => new HttpServer(
            provider.GetRequiredService<HttpApp>(), provider.GetRequiredKeyedService<IServer>(OwnServer), provider.GetRequiredService<IOptions<KestrelServerOptions>>(), provider));
    }

    /// <summary>The same one under a key.</summary>
    private static ServiceDescriptor Keyed(ServiceDescriptor own)
        => own.ImplementationInstance is { } instance ? new ServiceDescriptor(typeof(IServer), OwnServer, instance)
            : own.ImplementationFactory is { } factory ? new ServiceDescriptor(typeof(IServer), OwnServer, (provider, _) => factory(provider), own.Lifetime)
            : new ServiceDescriptor(typeof(IServer), OwnServer, own.ImplementationType!, own.Lifetime);
}
