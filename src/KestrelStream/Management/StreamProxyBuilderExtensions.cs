using KestrelStream.Configuration;
using KestrelStream.Http;
using KestrelStream.LoadBalancing;
using KestrelStream.Management;
using KestrelStream.Sessions;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>What can be said on the result of <c>AddStreamProxy()</c>.</summary>
public static class StreamProxyBuilderExtensions
{
    /// <summary>Takes the configuration from a section, usually <c>StreamProxy</c>, and follows its changes. Relative paths start from the app's content root.</summary>
    public static IStreamProxyBuilder LoadFromConfig(this IStreamProxyBuilder builder, IConfigurationSection section)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(section);
        builder.Services.Replace(ServiceDescriptor.Singleton<IStreamProxyConfigProvider>(
            services => new ConfigurationConfigProvider(section, services.GetRequiredService<IHostEnvironment>().ContentRootPath)));
        return builder;
    }

    /// <summary>Takes a configuration built in code.</summary>
    public static IStreamProxyBuilder LoadFromMemory(this IStreamProxyBuilder builder, StreamProxyConfig config)
        => LoadFrom(builder, new InMemoryConfigProvider(config));

    /// <summary>Takes the configuration from a provider of the app's own, e.g. an <see cref="InMemoryConfigProvider"/> that it keeps to update.</summary>
    public static IStreamProxyBuilder LoadFrom(this IStreamProxyBuilder builder, IStreamProxyConfigProvider provider)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(provider);
        builder.Services.Replace(ServiceDescriptor.Singleton(provider));
        return builder;
    }

    /// <summary>Adds a balancing policy; clusters name it in <see cref="ClusterConfig.LoadBalancingPolicy"/>.</summary>
    public static IStreamProxyBuilder AddLoadBalancingPolicy<
        [System.Diagnostics.CodeAnalysis.DynamicallyAccessedMembers(System.Diagnostics.CodeAnalysis.DynamicallyAccessedMemberTypes.PublicConstructors)] TPolicy>(this IStreamProxyBuilder builder)
        where TPolicy : class, ILoadBalancingPolicy
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddSingleton<ILoadBalancingPolicy, TPolicy>();
        return builder;
    }

    /// <summary>
    /// Serves routes with <c>Action: Http</c> with the app's own HTTP pipeline, beside the app's URLs. Behind everything that chooses the app's server,
    /// such as <c>UseKestrel</c>. The limits of the app's Kestrel apply (<c>KestrelServerOptions.Limits</c>); its endpoints are not touched.
    /// </summary>
    /// <exception cref="InvalidOperationException">The app has no HTTP server yet.</exception>
    public static IStreamProxyBuilder ServeHttp(this IStreamProxyBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        HttpServerRegistration.Wrap(builder.Services);
        return builder;
    }

    /// <summary>
    /// Adds connection middleware that runs for every accepted connection before its first bytes are routed: count, refuse (by not calling next),
    /// look at the bytes through <c>Transport</c>. What it leaves unconsumed is routed as if nobody had looked.
    /// </summary>
    /// <param name="builder">The proxy.</param>
    /// <param name="configure">Adds the steps.</param>
    /// <param name="neverBlocks">True = the steps never block their thread and may run on an engine's own loop. Default false: sessions then begin on the thread pool.</param>
    public static IStreamProxyBuilder ConfigurePipeline(this IStreamProxyBuilder builder, Action<IConnectionBuilder> configure, bool neverBlocks = false)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        builder.Services.AddSingleton(new SessionPipelineStep(configure, MayBlock: !neverBlocks));
        return builder;
    }
}
