using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using KestrelStream.Configuration;
using KestrelStream.Management;
using KestrelStream.Sessions;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KestrelStream.TestKit;

/// <summary>A proxy in this process on free ports, and every session it has had. Stops everything it started.</summary>
public sealed class ProxyEnvironment : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly InMemoryConfigProvider _provider;
    private readonly ConcurrentQueue<ObservedSession> _sessions = new();

    private ProxyEnvironment(StreamProxyConfig config, Action<IServiceCollection>? configure, Action<IStreamProxyBuilder>? build)
    {
        _provider = new InMemoryConfigProvider(config);
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddProvider(Log);
        builder.Logging.SetMinimumLevel(LogLevel.Debug);
        configure?.Invoke(builder.Services);
        var proxy = builder.Services.AddStreamProxy().LoadFrom(_provider).ConfigurePipeline(Observe, neverBlocks: true);
        build?.Invoke(proxy);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = Timeout.InfiniteTimeSpan);
        _host = builder.Build();
    }

    /// <summary>What was logged.</summary>
    public RecordingLogger Log { get; } = new();

    public IStreamProxy Proxy => _host.Services.GetRequiredService<IStreamProxy>();

    public IServiceProvider Services => _host.Services;

    /// <summary>Sessions in the order of their accept.</summary>
    public IReadOnlyCollection<ObservedSession> Sessions => _sessions;

    public static async Task<ProxyEnvironment> StartAsync(
        StreamProxyConfig config, Action<IServiceCollection>? configure = null, Action<IStreamProxyBuilder>? build = null)
    {
        var environment = new ProxyEnvironment(config, configure, build);
        try
        {
            await environment._host.StartAsync();
            return environment;
        }
        catch
        {
            environment._host.Dispose();
            throw;
        }
    }

    /// <summary>One listener on a free port, one route that takes everything, one destination.</summary>
    public static StreamProxyConfig OneRoute(EngineKind engine, EndPoint upstream, Func<RouteConfig, RouteConfig>? route = null) => new()
    {
        Engine = engine,
        ShutdownTimeout = TimeSpan.FromSeconds(10),
        Listeners = new Dictionary<string, ListenerConfig> { ["public"] = new() { Address = "127.0.0.1:0" } },
        Routes = new Dictionary<string, RouteConfig> { ["all"] = (route ?? (r => r))(new RouteConfig { ClusterId = "c" }) },
        Clusters = new Dictionary<string, ClusterConfig>
        {
            ["c"] = new() { Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = upstream.ToString()! } } },
        },
    };

    /// <summary>Where a listener is bound.</summary>
    public IPEndPoint EndPoint(string listener = "public") => (IPEndPoint)Proxy.BoundAddresses[listener][0];

    public async Task<Socket> ConnectAsync(string listener = "public")
    {
        var endPoint = EndPoint(listener);
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(endPoint);
        return socket;
    }

    /// <summary>As <see cref="ConnectAsync"/>, for a client that will be reset: the reset may overtake its own connect. Null = it has.</summary>
    public async Task<Socket?> TryConnectAsync(string listener = "public")
    {
        try
        {
            return await ConnectAsync(listener);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return null;
        }
    }

    public Task<ReloadResult> ReloadAsync(StreamProxyConfig config)
    {
        // The provider's token starts a reload of its own; asking for one here waits behind it.
        _provider.Update(config);
        return Proxy.ReloadAsync();
    }

    /// <summary>The only session, once it has ended.</summary>
    public async Task<SessionEndReason> EndReasonAsync(int session = 0)
    {
        var observed = await Wait.ForAsync(() => _sessions.ElementAtOrDefault(session), "a session");
        await observed.Ended.WaitAsync(Wait.Limit);
        return observed.EndReason;
    }

    public Task StopAsync() => _host.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Proxy.AbortSessions();
        await _host.StopAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
    }

    private void Observe(IConnectionBuilder builder) => builder.Use(next => connection =>
    {
        var session = (StreamSession)connection.Features.Get<IStreamSessionFeature>()!;
        _sessions.Enqueue(new ObservedSession(session, connection.ConnectionClosed));
        return next(connection);
    });
}
