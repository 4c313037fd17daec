using Microsoft.Extensions.DependencyInjection;

namespace KestrelStream.Management;

/// <summary>See <see cref="IStreamProxyBuilder"/>.</summary>
internal sealed class StreamProxyBuilder(IServiceCollection services) : IStreamProxyBuilder
{
    public IServiceCollection Services { get; } = services;
}
