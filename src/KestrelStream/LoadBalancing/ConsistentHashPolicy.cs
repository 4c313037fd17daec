namespace KestrelStream.LoadBalancing;

/// <summary>
/// The same key to the same destination, over a ring (ketama): a destination that comes or goes moves only its own share of the keys.
/// A session without a key is sent by turns. Stateless: the ring belongs to the cluster.
/// </summary>
internal sealed class ConsistentHashPolicy : ILoadBalancingPolicy
{
    public string Name => LoadBalancingPolicies.ConsistentHash;

    public int Pick(in LoadBalancingContext context)
    {
        if (context.Key == 0 || context.Group.Ring is not { } ring)
        {
            return context.NextInTurn();
        }

        var member = ring.Find(context.Key, context.Available, context.Group);
        return member >= 0 ? member : context.NextInTurn();
    }
}
