namespace KestrelStream.LoadBalancing;

/// <summary>Names of the policies that come with the proxy.</summary>
public static class LoadBalancingPolicies
{
    /// <summary>By turns, each as often as its weight says, evenly spread. nginx's order. The default.</summary>
    public static string RoundRobin => nameof(RoundRobin);

    /// <summary>The one with the fewest sessions for its weight; among equals by turns.</summary>
    public static string LeastConnections => nameof(LeastConnections);

    /// <summary>Any, each as likely as its weight says.</summary>
    public static string Random => nameof(Random);

    /// <summary>Of two drawn by weight, the one with fewer sessions for its weight.</summary>
    public static string PowerOfTwoChoices => nameof(PowerOfTwoChoices);

    /// <summary>The first by id; the others are spares.</summary>
    public static string FirstAlphabetical => nameof(FirstAlphabetical);
}
