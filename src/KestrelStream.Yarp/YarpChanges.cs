using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Configuration;

namespace KestrelStream.Yarp;

/// <summary>Tells of each configuration that YARP has put in force. Thread-safe.</summary>
internal sealed class YarpChanges : IConfigChangeListener
{
    private ConfigurationReloadToken _changed = new();

    /// <summary>Fires once, at the next one.</summary>
    public IChangeToken NextChange => Volatile.Read(ref _changed);

    public void ConfigurationApplied(IReadOnlyList<IProxyConfig> proxyConfigs) => Interlocked.Exchange(ref _changed, new ConfigurationReloadToken()).OnReload();

    public void ConfigurationLoaded(IReadOnlyList<IProxyConfig> proxyConfigs)
    {
    }

    // YARP logs both, and keeps what is in force.
    public void ConfigurationLoadingFailed(IProxyConfigProvider configProvider, Exception exception)
    {
    }

    public void ConfigurationApplyingFailed(IReadOnlyList<IProxyConfig> proxyConfigs, Exception exception)
    {
    }
}
