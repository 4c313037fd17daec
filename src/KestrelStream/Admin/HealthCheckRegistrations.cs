using KestrelStream.Model;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KestrelStream.Admin;

/// <summary>Registers the proxy's health check.</summary>
internal static class HealthCheckRegistrations
{
    /// <summary>May be called more than once; an app that has registered a check of that name keeps it.</summary>
    public static IServiceCollection AddStreamProxyHealthCheck(this IServiceCollection services)
    {
        services.AddHealthChecks();
        return services.PostConfigure<HealthCheckServiceOptions>(options =>
        {
            if (!options.Registrations.Any(check => check.Name == StreamProxyHealthCheck.Name))
            {
                options.Registrations.Add(new HealthCheckRegistration(
                    StreamProxyHealthCheck.Name,
                    provider => new StreamProxyHealthCheck(provider.GetRequiredService<IProxyState>(), provider.GetService<TimeProvider>() ?? TimeProvider.System),
                    failureStatus: null,
                    tags: [StreamProxyHealthCheck.Tag]));
            }
        });
    }
}
