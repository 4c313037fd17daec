using KestrelStream.Configuration;
using KestrelStream.Transport.EventLoop;
using KestrelStream.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Transport;

/// <summary>Chooses the engine of a configuration and makes it. Used once, at start.</summary>
internal sealed partial class EngineSelector(IServiceProvider services, ILogger<EngineSelector> logger)
{
    /// <summary>Whether this machine can run an engine; its kernel may still refuse.</summary>
    public static bool IsSupported(EngineKind engine) => engine != EngineKind.EventLoop || EventLoopSupport.WhyNotHere() is null;

    /// <exception cref="IOException">The kernel refuses what the engine needs that the configuration insists on.</exception>
    public IStreamEngine Select(StreamProxyConfig config)
    {
        if (config.Engine == EngineKind.Sockets)
        {
            return services.GetRequiredService<SocketsEngine>();
        }

        if (config.Engine == EngineKind.Auto && EventLoopSupport.WhyNot() is { } reason)
        {
            // On other systems nobody expects it.
            if (OperatingSystem.IsLinux())
            {
                LogFallback(logger, reason);
            }

            return services.GetRequiredService<SocketsEngine>();
        }

        if (config.Engine == EngineKind.EventLoop && EventLoopSupport.WhyKernelRefuses() is { } refusal)
        {
            throw new IOException($"StreamProxy:Engine: EventLoop cannot run here: {refusal}; Auto and Sockets can");
        }

        return ActivatorUtilities.CreateInstance<EventLoopEngine>(services, config.EventLoops ?? Environment.ProcessorCount);
    }

    [LoggerMessage(Diagnostics.EventIds.EngineFallback, LogLevel.Warning, "The EventLoop engine cannot run here, Sockets does: {Reason}")]
    private static partial void LogFallback(ILogger logger, string reason);
}
