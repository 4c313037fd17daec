namespace KestrelStream.LoadBalancing;

/// <summary>
/// Draws two different destinations by weight and takes the one with fewer sessions for its weight (nginx's random two
/// least_conn): nearly as even as the least of all, and a crowd of simultaneous sessions does not run to the same one.
/// Stateless but for its source of chance.
/// </summary>
/// <param name="random">Null = <see cref="Random.Shared"/>; another one must be safe for use by many threads.</param>
internal sealed class PowerOfTwoChoicesPolicy(Random? random = null) : ILoadBalancingPolicy
{
    private readonly Random _random = random ?? Random.Shared;

    public string Name => LoadBalancingPolicies.PowerOfTwoChoices;

    public int Pick(in LoadBalancingContext context)
    {
        if (context.AvailableCount == 1)
        {
            return context.Available.First;
        }

        var group = context.Group;
        var draws = 0;
        var first = group.Draw(_random, context.Available, ref draws);
        while (first >= 0)
        {
            var second = group.Draw(_random, context.Available, ref draws);
            if (second < 0)
            {
                break;
            }

            if (second != first)
            {
                return group.Load(first).IsLess(group.Load(second)) ? first : second;
            }
        }

        return context.NextInTurn();
    }
}
