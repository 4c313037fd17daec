namespace KestrelStream.Configuration.Validation;

/// <summary>Routes with StartTls MySql: a server of their cluster greets before anything is known of the client but its address.</summary>
internal static class MySqlRouteValidator
{
    public static void ValidateRoute(ValidationContext context, string path, RouteConfig route)
    {
        if (route.Action == RouteAction.Reject)
        {
            context.AddError($"{path}:Action", "\"Reject\" comes too late with StartTls \"MySql\", whose clients are greeted by a server first; valid: Deny of the listener, or leave the route out");
            return;
        }

        if (route.ClusterId is not { } id || context.Config.Clusters.GetValueOrDefault(id) is not { } cluster)
        {
            return;
        }

        if (cluster.WarmConnections > 0)
        {
            context.AddError(
                $"{path}:StartTls",
                $"\"MySql\" cannot go to cluster {ErrorText.Quote(id)}, whose WarmConnections wait without a login: servers end them, and block hosts that have many of them; valid: a cluster without WarmConnections");
        }

        foreach (var (_, destination) in cluster.Destinations.OrderBy(destination => destination.Key, StringComparer.OrdinalIgnoreCase))
        {
            if (ProxyAddress.TryParseDestination(destination.Address, out var address) && address!.Kind == ProxyAddressKind.Dynamic)
            {
                context.AddError(
                    $"{path}:StartTls",
                    $"\"MySql\" cannot go to cluster {ErrorText.Quote(id)}, whose destination {ErrorText.Quote(destination.Address)} is known by the client's server name only, and the server speaks first; valid: destinations with addresses");
                break;
            }
        }
    }

    /// <summary>For one client all of them must lead to one cluster.</summary>
    public static void ValidateListener(ValidationContext context, string listener, KeyValuePair<string, RouteConfig>[] own)
    {
        var firsts = new Dictionary<string, KeyValuePair<string, RouteConfig>>(StringComparer.Ordinal);
        foreach (var route in own.Where(route => route.Value is { StartTls: StartTlsProtocol.MySql, Action: RouteAction.Forward }))
        {
            var clients = ClientsOf(route.Value);
            if (firsts.TryAdd(clients, route) || string.Equals(firsts[clients].Value.ClusterId, route.Value.ClusterId, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            context.AddError(
                $"{context.Root}:Routes:{route.Key}:ClusterId",
                $"{ErrorText.Quote(route.Value.ClusterId ?? "")} is not cluster {ErrorText.Quote(firsts[clients].Value.ClusterId ?? "")} of route {ErrorText.Quote(firsts[clients].Key)} on listener {ErrorText.Quote(listener)}: "
                + "MySQL servers speak first, before a server name is known; valid: the same ClusterId, a difference in Match:ClientNetworks, or other Listeners");
        }
    }

    /// <summary>Whether a route for clients that say nothing takes those of MySQL that have no TLS: they are greeted by the same servers.</summary>
    public static bool IsForClearClients(ValidationContext context, RouteConfig route, KeyValuePair<string, RouteConfig>[] greeters)
        => route is { Action: RouteAction.Forward, ClusterId: { } id }
            && context.Config.Clusters.GetValueOrDefault(id) is { Tls: not { Enabled: true } }
            && greeters.Any(greeter => string.Equals(greeter.Value.ClusterId, id, StringComparison.OrdinalIgnoreCase));

    private static string ClientsOf(RouteConfig route) => string.Join(',', route.Match.ClientNetworks.Order(StringComparer.Ordinal));
}
