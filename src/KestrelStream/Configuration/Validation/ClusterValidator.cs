using System.Globalization;

namespace KestrelStream.Configuration.Validation;

/// <summary>The clusters with their destinations and health checks. One that no route uses is no error.</summary>
internal static class ClusterValidator
{
    private const int MaxWeight = 65535;

    /// <summary>Of each destination: more than that is a mistake rather than a reserve.</summary>
    private const int MaxWarmConnections = 1000;

    /// <summary>Oftener, and one resolver would see little else than this proxy.</summary>
    private static readonly TimeSpan ShortestDnsRefresh = TimeSpan.FromSeconds(1);

    public static void Validate(ValidationContext context)
    {
        foreach (var (_, path, cluster) in context.Items($"{context.Root}:Clusters", context.Config.Clusters))
        {
            var policies = context.Hooks.LoadBalancingPolicies;
            if (!policies.Contains(cluster.LoadBalancingPolicy, StringComparer.OrdinalIgnoreCase))
            {
                context.AddError(
                    $"{path}:LoadBalancingPolicy",
                    ErrorText.NotOneOf(cluster.LoadBalancingPolicy, "a load balancing policy", [.. policies.Order(StringComparer.Ordinal)]));
            }

            if (cluster.Hash?.BalanceFactor is { } factor && !(factor >= 1 && double.IsFinite(factor)))
            {
                context.AddError($"{path}:Hash:BalanceFactor", string.Create(CultureInfo.InvariantCulture, $"{factor} is out of range; valid: 1.0 or more"));
            }

            context.CheckTime(path, "ConnectTimeout", cluster.ConnectTimeout, Duration.Shortest);
            context.CheckTime(path, "DialBudget", cluster.DialBudget, Duration.Shortest);
            context.CheckTime(path, "DnsRefresh", cluster.DnsRefresh, ShortestDnsRefresh);
            context.CheckRange(path, "MaxAttempts", cluster.MaxAttempts, 1);
            context.CheckRange(path, "WarmConnections", cluster.WarmConnections, 0, MaxWarmConnections);
            context.CheckDuplicates(path, "Tlvs", cluster.Tlvs);
            if (cluster.Tlvs.Count > 0 && cluster.ProxyProtocol != ProxyProtocolVersion.V2)
            {
                context.AddError($"{path}:Tlvs", $"only a V2 header has TLVs (ProxyProtocol is {cluster.ProxyProtocol}); valid: ProxyProtocol \"V2\", or no Tlvs");
            }

            if (cluster.Tls is { } tls)
            {
                UpstreamTlsValidator.Validate(context, $"{path}:Tls", tls);
            }

            if (cluster.Queue is { } queue)
            {
                context.CheckRange(path, "Queue:MaxLength", queue.MaxLength, 0);
                context.CheckTime(path, "Queue:Timeout", queue.Timeout, Duration.Shortest);
            }

            context.CheckTime(path, "SlowStart", cluster.SlowStart, TimeSpan.Zero);
            context.CheckRange(path, "PanicThreshold", cluster.PanicThreshold, 0, 100);
            if (cluster.HealthCheck?.Active is { } active)
            {
                ActiveCheckValidator.Validate(context, $"{path}:HealthCheck:Active", active);
            }

            if (cluster.HealthCheck?.Passive is { } passive)
            {
                context.CheckRange(path, "HealthCheck:Passive:MaxFails", passive.MaxFails, 0);
                context.CheckTime(path, "HealthCheck:Passive:FailTimeout", passive.FailTimeout, Duration.Shortest);
                context.CheckTime(path, "HealthCheck:Passive:MaxFailTimeout", passive.MaxFailTimeout, Duration.Shortest);
                context.CheckRange(path, "HealthCheck:Passive:MaxEjectedPercent", passive.MaxEjectedPercent, 0, 100);
                if (passive.MaxFailTimeout < passive.FailTimeout)
                {
                    context.AddError(
                        $"{path}:HealthCheck:Passive:MaxFailTimeout",
                        $"\"{Duration.Format(passive.MaxFailTimeout.Value)}\" is shorter than FailTimeout; valid: {Duration.Format(passive.FailTimeout)} or more");
                }
            }

            ValidateDestinations(context, path, cluster);
        }
    }

    private static void ValidateDestinations(ValidationContext context, string clusterPath, ClusterConfig cluster)
    {
        var mapPath = $"{clusterPath}:Destinations";
        if (cluster.Destinations.Count == 0)
        {
            context.AddError(mapPath, "at least one destination is needed");
        }

        var owners = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (id, path, destination) in context.Items(mapPath, cluster.Destinations))
        {
            ValidateAddress(context, path, id, destination.Address, owners);
            ValidateWeight(context, path, destination);
            context.CheckRange(path, "MaxConnections", destination.MaxConnections, 1);
            UpstreamTlsValidator.ValidateDestination(context, clusterPath, path, cluster.Tls, destination);
            ActiveCheckValidator.ValidateDestination(context, clusterPath, path, cluster, destination);
            DynamicTargetValidator.Validate(context, clusterPath, path, cluster, destination);
        }
    }

    private static void ValidateWeight(ValidationContext context, string path, DestinationConfig destination)
    {
        if (ProxyAddress.TryParseDestination(destination.Address, out var address) && address!.Kind == ProxyAddressKind.Srv && destination.Weight is not (0 or 1))
        {
            context.AddError($"{path}:Weight", $"{destination.Weight} cannot be said here, as each SRV record has a weight of its own; valid: 0 for no new sessions, 1");
        }
        else
        {
            context.CheckRange(path, "Weight", destination.Weight, 0, MaxWeight);
        }
    }

    private static void ValidateAddress(ValidationContext context, string path, string id, string text, Dictionary<string, string> owners)
    {
        const string Valid = "ip:port, [v6]:port, host:port, unix:/path, srv+_service._proto.domain, {sni}:port";
        if (!ProxyAddress.TryParseDestination(text, out var address))
        {
            var problem = string.IsNullOrEmpty(text) ? "is missing or empty" : $"{ErrorText.Quote(text)} is not an address to dial";
            context.AddError($"{path}:Address", $"{problem}; valid: {Valid}");
        }
        else if (!owners.TryAdd(address!.ToString(), id))
        {
            context.AddError(
                $"{path}:Address",
                $"{ErrorText.Quote(text)} is the address of destination {ErrorText.Quote(owners[address.ToString()])} too; valid: another address, or one destination with more Weight");
        }
    }
}
