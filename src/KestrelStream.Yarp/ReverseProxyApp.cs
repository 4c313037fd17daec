using KestrelStream.Configuration;
using KestrelStream.Http;
using KestrelStream.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Configuration;

namespace KestrelStream.Yarp;

/// <summary>
/// YARP, by the section <c>ReverseProxy</c> of a configuration: an app of its own beside the server's, so that nothing of the admin port is in reach of its
/// clients, and without an address: the sessions of routes with <c>Action: Http</c> are its connections. Owned by who makes it.
/// </summary>
internal sealed class ReverseProxyApp : IAsyncDisposable
{
    public const string Section = "ReverseProxy";

    private readonly WebApplication _app;
    private Task? _started;

    /// <param name="settings">With the section; is followed.</param>
    /// <param name="basePath">Of the configuration.</param>
    /// <param name="services">Of the server: its log, its clusters, its sessions.</param>
    /// <exception cref="Exception">The section has mistakes: see <see cref="ErrorsOf"/>.</exception>
    public ReverseProxyApp(IConfigurationSource settings, string basePath, IServiceProvider services)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = basePath });
        ((IConfigurationBuilder)builder.Configuration).Add(settings);
        builder.Services.AddSingleton(services.GetRequiredService<ILoggerFactory>());
        builder.Services.AddSingleton(services.GetRequiredService<ClusterRegistry>());
        builder.Services.AddSingleton(services.GetRequiredService<TimeProvider>());
        builder.Services.Configure<KestrelServerOptions>(options =>
        {
            options.AddServerHeader = false;

            // A proxy sees bodies through; how large one may be is for the site behind it to say.
            options.Limits.MaxRequestBodySize = null;
        });
        var http = services.GetRequiredService<HttpApp>();
        builder.Services.AddSingleton<IServer>(own => new HttpServer(http, null, own.GetRequiredService<IOptions<KestrelServerOptions>>(), own));
        builder.Services.AddRouting();
        builder.Services.AddReverseProxy().LoadFromConfig(builder.Configuration.GetSection(Section));
        YarpServices.AddSharing(builder.Services);
        _app = builder.Build();
        _app.UseWebSockets();
        _app.MapReverseProxy();
        Clusters = ActivatorUtilities.CreateInstance<SharedClusters>(_app.Services);
    }

    public SharedClusters Clusters { get; }

    /// <summary>Once; later calls wait for the same.</summary>
    public Task StartAsync(CancellationToken cancellationToken) => _started ??= _app.StartAsync(cancellationToken);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    /// <summary>What YARP has found wrong.</summary>
    public static IReadOnlyList<ConfigError> ErrorsOf(Exception exception)
        => exception switch
        {
            AggregateException all => [.. all.InnerExceptions.SelectMany(ErrorsOf)],
            { InnerException: { } inner } => ErrorsOf(inner),
            _ => [new ConfigError(Section, exception.Message)],
        };
}
