namespace KestrelStream.Configuration;

/// <summary>Maps keyed by id, as the config has them: ids ignore case.</summary>
internal static class ConfigMap
{
    public static IReadOnlyDictionary<string, T> Empty<T>() => EmptyMap<T>.Instance;

    public static Dictionary<string, T> Create<T>(int capacity = 0) => new(capacity, StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// The same configuration over maps that ignore case and that nobody else can change. Configurations built in code may bring any
    /// dictionary. Of ids that differ in case only, the last one stays: the validator has refused them by then.
    /// </summary>
    public static StreamProxyConfig IgnoringCase(StreamProxyConfig config) => config with
    {
        Listeners = Copy(config.Listeners, listener => listener),
        Certificates = Copy(config.Certificates, certificate => certificate),
        Routes = Copy(config.Routes, route => route),
        Clusters = Copy(config.Clusters, cluster => cluster with { Destinations = Copy(cluster.Destinations, destination => destination) }),
    };

    private static Dictionary<string, T> Copy<T>(IReadOnlyDictionary<string, T> map, Func<T, T> copy)
    {
        var result = new Dictionary<string, T>(map.Count, StringComparer.OrdinalIgnoreCase);
        foreach (var (id, item) in map)
        {
            result[id] = copy(item);
        }

        return result;
    }

    private static class EmptyMap<T>
    {
        public static readonly IReadOnlyDictionary<string, T> Instance = Create<T>();
    }
}
