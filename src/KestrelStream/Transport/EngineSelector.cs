using KestrelStream.Configuration;
using KestrelStream.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelStream.Transport;

/// <summary>Chooses the engine of a configuration and makes it. Used once, at start.</summary>
internal sealed class EngineSelector(IServiceProvider services)
{
    /// <summary>Whether this machine can run an engine.</summary>
    public static bool IsSupported(EngineKind engine) => engine != EngineKind.EventLoop;

    public IStreamEngine Select(StreamProxyConfig config) => config.Engine switch
    {
        _ => services.GetRequiredService<SocketsEngine>(),
    };
}
