using System.Diagnostics.Metrics;
using KestrelStream.Access;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Limits;
using KestrelStream.LoadBalancing;
using KestrelStream.Management;
using KestrelStream.Model;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.Tls;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelStream.Tests.Diagnostics;

/// <summary>The state of a proxy that runs a configuration, without sockets: a test plays the sessions.</summary>
internal sealed class TestProxy : IProxyState, IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly LoadBalancingPolicyRegistry _policies = new(LoadBalancingPolicyRegistry.CreateBuiltIn());
    private long _lastId;

    /// <param name="config">Valid; ids as in <see cref="Create"/> when left out.</param>
    /// <param name="createPolicy">For routes that terminate TLS.</param>
    public TestProxy(StreamProxyConfig? config = null, Func<string, RouteConfig, TlsPolicy>? createPolicy = null)
    {
        Limits = new LimitRegistry(Time);
        Metrics = new StreamProxyMetrics(Meters, Table, Limits, Time);
        Apply(config ?? Create(), createPolicy);
        Metrics.Observe(this);
    }

    public FakeTimeProvider Time { get; } = new();

    public LimitRegistry Limits { get; }

    public SessionTable Table { get; } = new();

    public IMeterFactory Meters => _services.GetRequiredService<IMeterFactory>();

    public StreamProxyMetrics Metrics { get; }

    public ProxySnapshot? Current { get; set; }

    public IReadOnlyList<ListenerState> Listeners { get; private set; } = [];

    public IReadOnlyList<CertificateStatus> Certificates { get; set; } = [];

    public IReadOnlyList<CertificateIssuance> Issuances { get; set; } = [];

    public bool IsReady { get; set; } = true;

    public bool IsDraining { get; set; }

    /// <summary>Listeners <c>public</c> and <c>other</c>; routes <c>app1</c> (public only), <c>rest</c>; cluster <c>pool</c> with destinations <c>a</c>, <c>b</c>.</summary>
    public static StreamProxyConfig Create() => new()
    {
        Listeners = new Dictionary<string, ListenerConfig>
        {
            ["public"] = new() { Address = "127.0.0.1:4430" },
            ["other"] = new() { Address = "127.0.0.1:4431" },
        },
        Routes = new Dictionary<string, RouteConfig>
        {
            ["app1"] = new() { Listeners = ["public"], Match = new RouteMatch { Sni = ["app1.example.com"] }, ClusterId = "pool" },
            ["rest"] = new() { Action = RouteAction.Reject },
        },
        Clusters = new Dictionary<string, ClusterConfig>
        {
            ["pool"] = new()
            {
                Destinations = new Dictionary<string, DestinationConfig>
                {
                    ["a"] = new() { Address = "127.0.0.1:9001" },
                    ["b"] = new() { Address = "127.0.0.1:9002" },
                },
            },
        },
    };

    public ListenerState Listener(string id) => Listeners.Single(listener => listener.Id == id);

    public RouteModel Route(string id) => Current!.Routes[id];

    public ClusterState Cluster(string id) => Current!.Clusters[id];

    public void Apply(StreamProxyConfig config, Func<string, RouteConfig, TlsPolicy>? createPolicy = null)
    {
        var clusters = ConfigMap.Create<ClusterState>();
        foreach (var (id, cluster) in config.Clusters)
        {
            Assert.True(_policies.TryGet(cluster.LoadBalancingPolicy, out var policy));
            clusters.Add(id, new ClusterState(id, ClusterModel.Create(cluster, policy, Time), Time, NullLogger.Instance));
        }

        Current = SnapshotBuilder.Build(
            config, (Current?.Generation ?? 0) + 1, Time.GetUtcNow(), clusters, createPolicy ?? ((_, _) => throw new NotSupportedException()), AccessRuleSet.Load(config, "/", []), Limits);
        Listeners = [.. Current.Listeners.Values.Select(model => new ListenerState(model))];
    }

    /// <summary>A session that has just been accepted.</summary>
    public StreamSession Start(string listener = "public", string client = "203.0.113.9:50000", Func<long, SessionTrace>? trace = null)
    {
        var connection = FakeConnection.At(client);
        var started = Time.GetTimestamp();
        var session = new StreamSession(
            Interlocked.Increment(ref _lastId), connection, Listener(listener), new FakeEnvironment(), started, Time.GetUtcNow()) { Trace = trace?.Invoke(started) };
        connection.Session = session;
        Table.Add(session);
        session.Listener.TryEnter();
        Metrics.SessionStarted(session);
        return session;
    }

    /// <summary>As the end of a session goes: out of the readers' sight, counted, out of the table.</summary>
    public void End(StreamSession session, SessionEndReason reason = SessionEndReason.Completed, TimeSpan duration = default)
    {
        session.TryEnd(reason);
        session.Leave();
        session.Listener.Leave();
        Metrics.SessionEnded(session, duration);
        Table.Remove(session);
    }

    /// <summary>A failed dial for each destination that the cluster gives, once around: with nginx's defaults all are out then.</summary>
    public void FailDials(string cluster, int destinations)
    {
        var attempts = default(DialAttempts);
        for (var i = 0; i < destinations; i++)
        {
            Cluster(cluster).DialFailed(Cluster(cluster).Next(ref attempts)!, ref attempts);
        }
    }

    public void Dispose()
    {
        Limits.Dispose();
        _services.Dispose();
    }
}
