using KestrelStream.Configuration;
using Yarp.ReverseProxy.LoadBalancing;
using Yarp.ReverseProxy.Model;

namespace KestrelStream.Yarp;

/// <summary>A cluster of YARP's as one of the stream proxy's. Pure.</summary>
internal static class ClusterConversion
{
    /// <param name="id">Of the cluster.</param>
    /// <param name="cluster">In force in YARP.</param>
    /// <param name="errors">Gets what the stream proxy cannot dial, by the path it has in YARP's section.</param>
    public static Configuration.ClusterConfig Convert(string id, ClusterState cluster, List<ConfigError> errors)
    {
        var destinations = new Dictionary<string, Configuration.DestinationConfig>(StringComparer.OrdinalIgnoreCase);
        foreach (var (destinationId, state) in cluster.Destinations)
        {
            var address = state.Model.Config.Address;
            if (AddressOf(address) is { } dialled)
            {
                // "name[ip]" is what YARP's resolver calls one address of a name.
                destinations.Add(destinationId, new Configuration.DestinationConfig { Address = dialled });
            }
            else
            {
                errors.Add(new ConfigError(
                    $"ReverseProxy:Clusters:{id}:Destinations:{destinationId}:Address",
                    $"{ErrorText.Quote(address)} cannot be dialled by a route of the stream proxy; valid: tcp://host:port, http://host, https://host"));
            }
        }

        return new Configuration.ClusterConfig
        {
            LoadBalancingPolicy = PolicyOf(cluster.Model.Config.LoadBalancingPolicy),
            Destinations = destinations,
            IsCheckedElsewhere = true,
        };
    }

    /// <summary>Null = not an address of a kind that both know.</summary>
    public static string? AddressOf(string address)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("tcp" or "http" or "https") || uri.Host.Length == 0 || uri.Port <= 0)
        {
            return null;
        }

        return $"{(uri.HostNameType == UriHostNameType.IPv6 ? uri.Host : uri.IdnHost)}:{uri.Port}";
    }

    private static string PolicyOf(string? policy)
        => policy is null ? LoadBalancingPolicies.PowerOfTwoChoices
            : policy.Equals(LoadBalancingPolicies.LeastRequests, StringComparison.OrdinalIgnoreCase) ? "LeastConnections"
            : policy;
}
