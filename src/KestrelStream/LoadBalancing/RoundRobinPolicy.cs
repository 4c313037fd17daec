namespace KestrelStream.LoadBalancing;

/// <summary>By turns and weight, in nginx's order. Stateless: whose turn it is belongs to the cluster.</summary>
internal sealed class RoundRobinPolicy : ILoadBalancingPolicy
{
    public string Name => LoadBalancingPolicies.RoundRobin;

    public int Pick(in LoadBalancingContext context) => context.NextInTurn();
}
