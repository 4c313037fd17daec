using KestrelStream.Management;
using KestrelStream.Model;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;

namespace KestrelStream.Yarp;

/// <summary>What is put between YARP's own services, wherever they live.</summary>
internal static class YarpServices
{
    /// <param name="services">With YARP's.</param>
    public static void AddSharing(IServiceCollection services)
    {
        services.TryAddSingleton<YarpChanges>();
        services.AddSingleton<IConfigChangeListener>(provider => provider.GetRequiredService<YarpChanges>());
        services.AddSingleton<SharedHealth>();
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<SharedHealth>());

        // Lazily: the updater is among what makes the clusters that the sharing looks up.
        services.Wrap<IClusterDestinationsUpdater>((provider, own) => new SharingDestinationsUpdater(own, new Lazy<SharedHealth>(provider.GetRequiredService<SharedHealth>)));
        services.Wrap<IForwarderHttpClientFactory>((_, own) => new TcpProbeClientFactory(own));
    }
}
