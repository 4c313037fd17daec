using KestrelStream.Configuration;
using Microsoft.Extensions.Primitives;

namespace KestrelStream.Yarp;

/// <summary>The app's own configuration of the stream proxy, with YARP's clusters under it. Follows both.</summary>
internal sealed class SharedClustersProvider(IStreamProxyConfigProvider own, SharedClusters shared) : IStreamProxyConfigProvider
{
    public string BasePath => own.BasePath;

    public ConfigResult GetConfig() => shared.AddTo(own.GetConfig());

    public IChangeToken GetReloadToken() => new CompositeChangeToken([own.GetReloadToken(), shared.NextChange]);
}
