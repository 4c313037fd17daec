using KestrelStream.Model;

namespace KestrelStream.LoadBalancing;

/// <summary>Fewest sessions for the weight (nginx's least_conn); those that tie take turns. Stateless.</summary>
internal sealed class LeastConnectionsPolicy : ILoadBalancingPolicy
{
    public string Name => LoadBalancingPolicies.LeastConnections;

    public int Pick(in LoadBalancingContext context) => LeastLoadSearch.Pick<Sessions>(context);

    private readonly struct Sessions : ILeastLoad
    {
        public static float Of(DestinationState member) => member.ActiveSessions;
    }
}
