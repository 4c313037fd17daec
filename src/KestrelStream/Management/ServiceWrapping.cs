using Microsoft.Extensions.DependencyInjection;

namespace KestrelStream.Management;

/// <summary>Puts a service of ours around one that is registered already, which stays as it is and belongs to the container as before.</summary>
internal static class ServiceWrapping
{
    /// <param name="services">With the service.</param>
    /// <param name="wrap">Makes the one that is asked for from then on.</param>
    /// <exception cref="InvalidOperationException">It is not registered.</exception>
    public static void Wrap<TService>(this IServiceCollection services, Func<IServiceProvider, TService, TService> wrap)
        where TService : class
    {
        var own = services.LastOrDefault(service => service.ServiceType == typeof(TService) && !service.IsKeyedService)
            ?? throw new InvalidOperationException($"There is no {typeof(TService).Name} yet.");
        var key = new object();
        services.Remove(own);
        services.Add(Keyed(own, key));
        services.AddSingleton(provider => wrap(provider, provider.GetRequiredKeyedService<TService>(key)));
    }

    private static ServiceDescriptor Keyed(ServiceDescriptor own, object key)
        => own.ImplementationInstance is { } instance ? new ServiceDescriptor(own.ServiceType, key, instance)
            : own.ImplementationFactory is { } factory ? new ServiceDescriptor(own.ServiceType, key, (provider, _) => factory(provider), own.Lifetime)
            : new ServiceDescriptor(own.ServiceType, key, own.ImplementationType!, own.Lifetime);
}
