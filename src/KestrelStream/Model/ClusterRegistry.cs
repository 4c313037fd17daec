using KestrelStream.Configuration;
using KestrelStream.LoadBalancing;
using KestrelStream.Sessions;
using KestrelStream.Tls.Upstream;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Model;

/// <summary>
/// All clusters of the proxy. A reload prepares a change, lets everything else of the new configuration be built over it, and
/// commits it only then: one that is dropped leaves no trace. Reading is thread-safe; one reload at a time.
/// </summary>
internal sealed class ClusterRegistry(LoadBalancingPolicyRegistry policies, TimeProvider time, ILogger<ClusterRegistry> logger, SessionTable? sessions = null)
{
    private volatile IReadOnlyDictionary<string, ClusterState> _clusters = ConfigMap.Empty<ClusterState>();

    /// <summary>By id, ignoring case. Replaced by each commit, never changed.</summary>
    public IReadOnlyDictionary<string, ClusterState> Clusters => _clusters;

    /// <summary>Builds the next set of clusters from a validated configuration. Nothing that runs is touched.</summary>
    /// <param name="configs">By id.</param>
    /// <param name="tls">How a cluster speaks TLS with its destinations; null = none does.</param>
    /// <exception cref="ArgumentException">A policy is not registered, or an address is not one.</exception>
    public ClusterChange Prepare(IReadOnlyDictionary<string, ClusterConfig> configs, Func<string, UpstreamTlsPolicy?>? tls = null)
    {
        var before = _clusters;
        var next = ConfigMap.Create<ClusterState>();
        var models = new List<(ClusterState Cluster, ClusterModel Model)>();
        foreach (var (id, config) in configs)
        {
            if (!policies.TryGet(config.LoadBalancingPolicy, out var policy))
            {
                throw new ArgumentException(
                    $"Cluster '{id}': '{config.LoadBalancingPolicy}' is not one of the policies {string.Join(", ", policies.Names)}.", nameof(configs));
            }

            if (before.TryGetValue(id, out var cluster))
            {
                models.Add((cluster, ClusterModel.Create(config, policy, time, cluster.Model, tls?.Invoke(id))));
            }
            else
            {
                cluster = new ClusterState(id, ClusterModel.Create(config, policy, time, tls: tls?.Invoke(id)), time, logger, sessions);
            }

            next.Add(id, cluster);
        }

        return new ClusterChange(before, next, models);
    }

    /// <summary>Gives one cluster another configuration with the same policy. Not while a reload is prepared.</summary>
    public void Change(string id, ClusterConfig config)
    {
        var cluster = _clusters[id];
        cluster.Apply(ClusterModel.Create(config, cluster.Model.Policy, time, cluster.Model, cluster.Model.Tls));
    }

    /// <summary>Puts a prepared change in force: sessions that start now choose from it, running ones keep what they have.</summary>
    /// <exception cref="InvalidOperationException">Another change was committed since this one was prepared.</exception>
    public void Commit(ClusterChange change)
    {
        if (change.Before != _clusters)
        {
            throw new InvalidOperationException("The clusters have changed since this change was prepared.");
        }

        foreach (var (cluster, model) in change.Models)
        {
            cluster.Apply(model);
        }

        _clusters = change.Clusters;
    }
}
