namespace KestrelStream.LoadBalancing;

/// <summary>Weighted random (nginx's random). Stateless but for its source of chance.</summary>
/// <param name="random">Null = <see cref="Random.Shared"/>; another one must be safe for use by many threads.</param>
internal sealed class RandomPolicy(Random? random = null) : ILoadBalancingPolicy
{
    private readonly Random _random = random ?? Random.Shared;

    public string Name => LoadBalancingPolicies.Random;

    public int Pick(in LoadBalancingContext context)
    {
        var draws = 0;
        var member = context.Group.Draw(_random, context.Available, ref draws);
        return member >= 0 ? member : context.NextInTurn();
    }
}
