using KestrelStream.LoadBalancing;
using Xunit;

namespace KestrelStream.Tests.LoadBalancing;

public class LoadBalancingPolicyRegistryTests
{
    [Theory]
    [InlineData("RoundRobin", typeof(RoundRobinPolicy))]
    [InlineData("leastconnections", typeof(LeastConnectionsPolicy))]
    [InlineData("leastlatency", typeof(LeastLatencyPolicy))]
    [InlineData("consistentHASH", typeof(ConsistentHashPolicy))]
    [InlineData("RANDOM", typeof(RandomPolicy))]
    [InlineData("PowerOfTwoChoices", typeof(PowerOfTwoChoicesPolicy))]
    [InlineData("firstAlphabetical", typeof(FirstAlphabeticalPolicy))]
    public void TryGet_BuiltIn_IsFoundIgnoringCase(string name, Type type)
    {
        var registry = new LoadBalancingPolicyRegistry(LoadBalancingPolicyRegistry.CreateBuiltIn());

        Assert.True(registry.TryGet(name, out var policy));
        Assert.IsType(type, policy);
    }

    [Fact]
    public void TryGet_Unknown_IsFalseAndNamesSayWhatIsValid()
    {
        var registry = new LoadBalancingPolicyRegistry([.. LoadBalancingPolicyRegistry.CreateBuiltIn(), new Named("Mine")]);

        Assert.False(registry.TryGet("Yours", out _));
        Assert.True(registry.TryGet("mine", out _));
        Assert.Equal(["ConsistentHash", "FirstAlphabetical", "LeastConnections", "LeastLatency", "Mine", "PowerOfTwoChoices", "Random", "RoundRobin"], registry.Names);
    }

    [Fact]
    public void Constructor_DuplicateName_Throws()
    {
        var exception = Assert.Throws<ArgumentException>(
            () => new LoadBalancingPolicyRegistry([.. LoadBalancingPolicyRegistry.CreateBuiltIn(), new Named("roundROBIN")]));

        Assert.Contains("roundROBIN", exception.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(RoundRobinPolicy), exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_NoName_Throws()
        => Assert.Throws<ArgumentException>(() => new LoadBalancingPolicyRegistry([new Named(" ")]));

    private sealed class Named(string name) : ILoadBalancingPolicy
    {
        public string Name => name;

        public int Pick(in LoadBalancingContext context) => -1;
    }
}
