using KestrelStream.Configuration;
using KestrelStream.LoadBalancing;
using KestrelStream.Model;
using KestrelStream.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelStream.Tests.Model;

public class ClusterRegistryTests
{
    private readonly ClusterRegistry _registry = new(
        new LoadBalancingPolicyRegistry(LoadBalancingPolicyRegistry.CreateBuiltIn()), new FakeTimeProvider(), NullLogger<ClusterRegistry>.Instance);

    [Fact]
    public void Commit_FirstChange_MakesClustersFoundIgnoringCase()
    {
        _registry.Commit(_registry.Prepare(Configs(("App", TestCluster.Config(("a", new DestinationConfig()))))));

        Assert.Equal("App", _registry.Clusters["aPP"].Id);
        Assert.Single(_registry.Clusters);
    }

    [Fact]
    public void Prepare_NotCommitted_ChangesNothing()
    {
        Commit(("app", TestCluster.Config(("a", new DestinationConfig()), ("b", new DestinationConfig { Weight = 2, MaxConnections = 5 }))));
        var clusters = _registry.Clusters;
        var model = clusters["app"].Model;

        var change = _registry.Prepare(Configs(
            ("app", TestCluster.Config(("c", new DestinationConfig()), ("b", new DestinationConfig { Weight = 9, MaxConnections = 1 }))),
            ("new", TestCluster.Config(("a", new DestinationConfig())))));

        Assert.Equal(2, change.Clusters.Count);
        Assert.Same(clusters, _registry.Clusters);
        Assert.Same(model, clusters["app"].Model);
        Assert.Equal((2, 5), (model.Destinations[1].Weight, model.Destinations[1].Config.MaxConnections));
    }

    [Fact]
    public void Commit_Reload_KeepsClustersAddsAndRemoves()
    {
        Commit(("kept", TestCluster.Config(("a", new DestinationConfig()))), ("gone", TestCluster.Config(("a", new DestinationConfig()))));
        var kept = _registry.Clusters["kept"];
        var destination = kept.Model.Destinations[0];

        var change = Commit(("KEPT", TestCluster.Config(("A", new DestinationConfig { Weight = 4 }))), ("new", TestCluster.Config(("a", new DestinationConfig()))));

        Assert.Equal(["KEPT", "new"], _registry.Clusters.Keys.Order(StringComparer.Ordinal));
        Assert.Same(kept, _registry.Clusters["kept"]);
        Assert.Same(change.Clusters, _registry.Clusters);
        Assert.Same(destination, kept.Model.Destinations[0]);
        Assert.Equal(4, destination.Weight);
    }

    [Fact]
    public void Prepare_UnknownPolicy_ThrowsAndNamesWhatIsValid()
    {
        var config = TestCluster.Config(("a", new DestinationConfig())) with { LoadBalancingPolicy = "Fastest" };

        var exception = Assert.Throws<ArgumentException>(() => _registry.Prepare(Configs(("app", config))));

        Assert.Contains("'app'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("'Fastest'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("LeastConnections", exception.Message, StringComparison.Ordinal);
        Assert.Empty(_registry.Clusters);
    }

    [Fact]
    public void Prepare_BadAddress_Throws()
        => Assert.Throws<ArgumentException>(() => _registry.Prepare(Configs(("app", TestCluster.Config(("a", new DestinationConfig { Address = "nowhere" }))))));

    [Fact]
    public void Commit_OvertakenChange_Throws()
    {
        var late = _registry.Prepare(Configs(("app", TestCluster.Config(("a", new DestinationConfig())))));
        Commit(("other", TestCluster.Config(("a", new DestinationConfig()))));

        Assert.Throws<InvalidOperationException>(() => _registry.Commit(late));
        Assert.Equal(["other"], _registry.Clusters.Keys);
    }

    private static Dictionary<string, ClusterConfig> Configs(params (string Id, ClusterConfig Config)[] clusters)
    {
        var configs = ConfigMap.Create<ClusterConfig>();
        foreach (var (id, config) in clusters)
        {
            configs.Add(id, config);
        }

        return configs;
    }

    private ClusterChange Commit(params (string Id, ClusterConfig Config)[] clusters)
    {
        var change = _registry.Prepare(Configs(clusters));
        _registry.Commit(change);
        return change;
    }
}
