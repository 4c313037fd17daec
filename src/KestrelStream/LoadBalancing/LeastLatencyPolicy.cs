using KestrelStream.Model;

namespace KestrelStream.LoadBalancing;

/// <summary>
/// The least expected wait for the weight: moving average of the dial time, times the sessions that would be there (nginx Plus's
/// least_time connect). Those that tie take turns. Stateless: the averages belong to the destinations.
/// </summary>
/// <remarks>
/// The sessions are a factor because the average alone would send everybody to the fastest until it is the slowest. A destination that
/// was not dialled for a while is thought faster and faster, so that one which was slow once is tried again.
/// </remarks>
internal sealed class LeastLatencyPolicy : ILoadBalancingPolicy
{
    public string Name => LoadBalancingPolicies.LeastLatency;

    public int Pick(in LoadBalancingContext context) => LeastLoadSearch.Pick<Latency>(context);

    private readonly struct Latency : ILeastLoad
    {
        public static float Of(DestinationState member) => member.DialLatency.Milliseconds * (1 + member.ActiveSessions);
    }
}
