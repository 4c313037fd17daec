using KestrelStream.Access;
using KestrelStream.Admin;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Diagnostics.AccessLogs;
using KestrelStream.Dialing;
using KestrelStream.Dialing.Dynamic;
using KestrelStream.Dialing.Warm;
using KestrelStream.Discovery;
using KestrelStream.Health.Checks;
using KestrelStream.Http;
using KestrelStream.Limits;
using KestrelStream.LoadBalancing;
using KestrelStream.Management;
using KestrelStream.Model;
using KestrelStream.Preread;
using KestrelStream.Relay;
using KestrelStream.ProxyProtocol;
using KestrelStream.Sessions;
using KestrelStream.StartTls;
using KestrelStream.Tls;
using KestrelStream.Tls.Ocsp;
using KestrelStream.Tls.OpenSsl;
using KestrelStream.Tls.Tickets;
using KestrelStream.Tls.Upstream;
using KestrelStream.Transport;
using KestrelStream.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the stream proxy to an app.</summary>
public static class StreamProxyServiceCollectionExtensions
{
    /// <summary>
    /// Adds a stream proxy that starts and drains with the app. Say next where its configuration comes from:
    /// <see cref="StreamProxyBuilderExtensions.LoadFromConfig"/> or <see cref="StreamProxyBuilderExtensions.LoadFromMemory"/>.
    /// The app's own endpoints are not touched. Every service is added with TryAdd: one that the app has registered before stays.
    /// </summary>
    public static IStreamProxyBuilder AddStreamProxy(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddLogging();
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IStreamProxyConfigProvider>(_ => new InMemoryConfigProvider(new StreamProxyConfig()));

        AddSessions(services);
        AddEngines(services);
        AddPools(services);

        services.TryAddSingleton<CertificateStore>();
        services.TryAddSingleton<TicketKeyStore>();
        services.TryAddSingleton<OcspStapler>();
        services.TryAddSingleton<ClientRevocation>();
        services.TryAddSingleton(provider => new TlsEngineSelector(provider.GetRequiredService<ILogger<TlsEngineSelector>>()));
        services.TryAddSingleton<ChallengeCertificates>();
        services.TryAddSingleton<SslStreamTerminator>();
        services.TryAddSingleton<OpenSslTerminator>();
        services.TryAddSingleton<ITlsTerminator, TlsTerminator>();
        services.TryAddSingleton<StreamProxyMetrics>();
        services.TryAddSingleton<ProcessReadings>();
        services.TryAddSingleton<AccessLog>();
        services.AddStreamProxyAdmin();

        services.TryAddSingleton<ConfigurationChecks>();
        services.TryAddSingleton<StreamProxyManager>();
        services.TryAddSingleton<IStreamProxy>(provider => provider.GetRequiredService<StreamProxyManager>());
        services.TryAddSingleton<IProxyState>(provider => provider.GetRequiredService<StreamProxyManager>());
        services.TryAddSingleton<IProxyControl>(provider => provider.GetRequiredService<StreamProxyManager>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, StreamProxyService>());
        return new StreamProxyBuilder(services);
    }

    private static void AddSessions(IServiceCollection services)
    {
        services.TryAddSingleton<SessionTable>();
        services.TryAddSingleton(new PrereadBudget());
        services.TryAddSingleton<PrereadReader>();
        services.TryAddSingleton<ProxyHeaderReader>();
        services.TryAddSingleton<AccessWatch>();
        services.TryAddSingleton<LimitRegistry>();
        services.TryAddSingleton<Admission>();
        services.TryAddSingleton<StartTlsUpgrader>();
        services.TryAddSingleton<PostgreSqlCancel>();
        services.TryAddSingleton<HttpApp>();
        services.TryAddSingleton<HttpHandOver>();
        services.TryAddSingleton<IHttpAppSource, HostHttpAppSource>();
        services.TryAddSingleton<StreamSessionHandler>();
        services.TryAddSingleton<SessionPipeline>();
        services.TryAddSingleton<SessionRunner>();
        services.TryAddSingleton<ISessionStarter>(provider => provider.GetRequiredService<SessionRunner>());
    }

    private static void AddEngines(IServiceCollection services)
    {
        services.TryAddSingleton<DescriptorBudget>();
        services.TryAddSingleton<SharedSessionClock>();
        services.TryAddSingleton<SocketRelay>();
        services.TryAddSingleton(provider => new SocketsEnvironment(provider.GetRequiredService<SharedSessionClock>(), provider.GetRequiredService<SocketRelay>()));
        services.TryAddSingleton<EngineMove>();
        services.TryAddSingleton<SocketsEngine>();
        services.TryAddSingleton<EngineSelector>();
    }

    private static void AddPools(IServiceCollection services)
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ILoadBalancingPolicy, RoundRobinPolicy>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ILoadBalancingPolicy, LeastConnectionsPolicy>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ILoadBalancingPolicy, LeastLatencyPolicy>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ILoadBalancingPolicy, RandomPolicy>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ILoadBalancingPolicy, PowerOfTwoChoicesPolicy>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ILoadBalancingPolicy, ConsistentHashPolicy>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ILoadBalancingPolicy, FirstAlphabeticalPolicy>());
        services.TryAddSingleton<LoadBalancingPolicyRegistry>();
        services.TryAddSingleton<ClusterRegistry>();
        services.TryAddSingleton<IDestinationNameResolver, SystemNameResolver>();
        services.TryAddSingleton(provider => new DnsClient(provider.GetRequiredService<TimeProvider>(), new NameServers()));
        services.TryAddSingleton<DestinationResolver>();
        services.TryAddSingleton<UpstreamTls>();
        services.TryAddSingleton<NameCache>();
        services.TryAddSingleton<OwnListeners>();
        services.TryAddSingleton<DynamicTargets>();
        services.TryAddSingleton<UpstreamDialer>();
        services.TryAddSingleton<WarmConnections>();
        services.TryAddSingleton<HealthChecker>();
    }
}
