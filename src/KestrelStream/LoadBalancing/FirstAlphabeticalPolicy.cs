namespace KestrelStream.LoadBalancing;

/// <summary>The first by id that can be chosen. Stateless.</summary>
internal sealed class FirstAlphabeticalPolicy : ILoadBalancingPolicy
{
    public string Name => LoadBalancingPolicies.FirstAlphabetical;

    // Members are numbered in the order of their ids.
    public int Pick(in LoadBalancingContext context) => context.Available.First;
}
