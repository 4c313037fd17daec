using KestrelStream.Admin.Live;
using KestrelStream.Diagnostics;
using KestrelStream.Management;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace KestrelStream.Admin;

/// <summary>Registers what the admin endpoints are made of, beside the proxy itself.</summary>
internal static class AdminServices
{
    /// <summary>May be called more than once.</summary>
    public static IServiceCollection AddStreamProxyAdmin(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<RefusedSessions>();
        services.TryAddSingleton<ConfigHistory>();
        services.TryAddSingleton<TrafficReader>();
        services.TryAddSingleton<TrafficHistory>();
        services.TryAddSingleton<LiveFeed>();
        services.TryAddSingleton<SessionRates>();
        return services.AddStreamProxyHealthCheck();
    }
}
