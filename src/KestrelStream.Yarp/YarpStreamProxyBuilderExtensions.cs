using KestrelStream.Configuration;
using KestrelStream.Management;
using KestrelStream.Model;
using KestrelStream.Yarp;
using Microsoft.Extensions.Configuration;
using Yarp.ReverseProxy;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Joins the stream proxy and YARP in one app.</summary>
public static class YarpStreamProxyBuilderExtensions
{
    /// <summary>
    /// Routes with <c>Action: Http</c> are served by the app's pipeline, so that <c>app.MapReverseProxy()</c> routes them by URL; and routes of the stream
    /// proxy can name clusters of YARP, with addresses <c>tcp://host:port</c>, <c>http://…</c> or <c>https://…</c>, whose health, as YARP finds it, counts for both.
    /// Behind <c>LoadFromConfig</c> and everything that chooses the app's server.
    /// </summary>
    /// <param name="builder">The stream proxy.</param>
    /// <param name="reverseProxy">YARP's section, usually <c>ReverseProxy</c>; null = the app says by <c>AddReverseProxy()</c> where YARP's configuration comes from.</param>
    public static IStreamProxyBuilder AddYarp(this IStreamProxyBuilder builder, IConfiguration? reverseProxy = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var yarp = builder.Services.AddReverseProxy();
        if (reverseProxy is not null)
        {
            yarp.LoadFromConfig(reverseProxy);
        }

        YarpServices.AddSharing(builder.Services);
        builder.Services.AddSingleton<SharedClusters>();
        builder.Services.Wrap<IStreamProxyConfigProvider>((services, own) => new SharedClustersProvider(own, services.GetRequiredService<SharedClusters>()));
        return builder.ServeHttp();
    }
}
