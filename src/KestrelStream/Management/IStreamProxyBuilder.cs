using Microsoft.Extensions.DependencyInjection;

namespace KestrelStream.Management;

/// <summary>What <c>AddStreamProxy()</c> returns: where configuration comes from, and what is added to it.</summary>
public interface IStreamProxyBuilder
{
    /// <summary>The services of the app. Every service of the proxy was added with TryAdd: one registered before replaces it.</summary>
    IServiceCollection Services { get; }
}
