namespace KestrelStream.LoadBalancing;

/// <summary>Names of the policies that come with the proxy.</summary>
public static class LoadBalancingPolicies
{
    /// <summary>By turns, each as often as its weight says, evenly spread. nginx's order. The default.</summary>
    public static string RoundRobin => nameof(RoundRobin);

    /// <summary>The one with the fewest sessions for its weight; among equals by turns.</summary>
    public static string LeastConnections => nameof(LeastConnections);

    /// <summary>The one with the shortest dials for its sessions and weight; among equals by turns.</summary>
    public static string LeastLatency => nameof(LeastLatency);

    /// <summary>Any, each as likely as its weight says.</summary>
    public static string Random => nameof(Random);

    /// <summary>Of two drawn by weight, the one with fewer sessions for its weight.</summary>
    public static string PowerOfTwoChoices => nameof(PowerOfTwoChoices);

    /// <summary>Sessions of the same key, by default the client's address, to the same one. <c>Hash</c> of the cluster says more.</summary>
    public static string ConsistentHash => nameof(ConsistentHash);

    /// <summary>The first by id; the others are spares.</summary>
    public static string FirstAlphabetical => nameof(FirstAlphabetical);
}
