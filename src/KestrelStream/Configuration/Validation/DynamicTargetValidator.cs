using KestrelStream.Dialing.Dynamic;
using KestrelStream.Routing;

namespace KestrelStream.Configuration.Validation;

/// <summary>What is said of a destination <c>{sni}:port</c>: without lists of what is allowed the proxy would be open to anybody, for anywhere.</summary>
internal static class DynamicTargetValidator
{
    public static void Validate(ValidationContext context, string clusterPath, string path, ClusterConfig cluster, DestinationConfig destination)
    {
        if (!ProxyAddress.TryParseDestination(destination.Address, out var address) || address!.Kind != ProxyAddressKind.Dynamic)
        {
            RefuseLists(context, path, destination);
            return;
        }

        if (destination.AllowedNames.Count == 0)
        {
            context.AddError($"{path}:AllowedNames", $"is missing or empty, and clients choose where {ErrorText.Quote(destination.Address)} is; valid: {SniPattern.ValidForms}");
        }

        if (destination.AllowedNetworks.Count == 0)
        {
            context.AddError($"{path}:AllowedNetworks", $"is missing or empty, and clients choose where {ErrorText.Quote(destination.Address)} is; valid: networks, as 0.0.0.0/0 for all that is public");
        }

        ValidateLists(context, path, destination);
        if (cluster.Destinations.Count > 1)
        {
            context.AddError($"{path}:Address", $"{ErrorText.Quote(destination.Address)} must be the only destination of its cluster");
        }

        if (cluster.HealthCheck?.Active is { Enabled: true })
        {
            context.AddError($"{clusterPath}:HealthCheck:Active", $"there is nothing to check before a client has named it ({ErrorText.Quote(destination.Address)}); valid: leave it out");
        }

        if (cluster.WarmConnections > 0)
        {
            context.AddError($"{clusterPath}:WarmConnections", $"{cluster.WarmConnections}: nobody can be dialled before a client has named it ({ErrorText.Quote(destination.Address)}); valid: 0");
        }
    }

    private static void ValidateLists(ValidationContext context, string path, DestinationConfig destination)
    {
        context.CheckDuplicates(path, "AllowedNames", destination.AllowedNames, StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < destination.AllowedNames.Count; i++)
        {
            if (destination.AllowedNames[i] == "*")
            {
                context.AddError($"{path}:AllowedNames:{i}", $"\"*\" would allow every name there is; valid: {SniPattern.ValidForms}");
            }
            else if (!SniPattern.TryParse(destination.AllowedNames[i], out _, out var error))
            {
                context.AddError($"{path}:AllowedNames:{i}", $"{ErrorText.Quote(destination.AllowedNames[i])}: {error}; valid: {SniPattern.ValidForms}");
            }
        }

        context.CheckDuplicates(path, "AllowedNetworks", destination.AllowedNetworks, StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < destination.AllowedNetworks.Count; i++)
        {
            if (!DynamicRules.TryParseNetwork(destination.AllowedNetworks[i], out _))
            {
                context.AddError(
                    $"{path}:AllowedNetworks:{i}",
                    $"{ErrorText.Quote(destination.AllowedNetworks[i])} is not a network; valid: ip/prefix without bits behind the prefix, as 10.0.0.0/8 or 2001:db8::/32, an ip");
            }
        }
    }

    private static void RefuseLists(ValidationContext context, string path, DestinationConfig destination)
    {
        foreach (var (key, values) in new[] { ("AllowedNames", destination.AllowedNames), ("AllowedNetworks", destination.AllowedNetworks) })
        {
            if (values.Count > 0)
            {
                context.AddError($"{path}:{key}", $"{ErrorText.Quote(string.Join(", ", values))} has no effect with Address {ErrorText.Quote(destination.Address)}; valid: Address \"{{sni}}:port\", or leave it out");
            }
        }
    }
}
