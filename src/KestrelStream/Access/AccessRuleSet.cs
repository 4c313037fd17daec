using KestrelStream.Configuration;

namespace KestrelStream.Access;

/// <summary>The rules of a configuration that is being applied. Touches nothing that runs.</summary>
internal sealed class AccessRuleSet
{
    private readonly Dictionary<string, AccessRules> _listeners = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, AccessRules> _routes = new(StringComparer.OrdinalIgnoreCase);

    public IEnumerable<AccessRules> All => _listeners.Values.Concat(_routes.Values);

    /// <param name="config">Validated.</param>
    /// <param name="basePath">What relative paths are relative to.</param>
    /// <param name="errors">Gets one for each file that is not good.</param>
    public static AccessRuleSet Load(StreamProxyConfig config, string basePath, ICollection<ConfigError> errors)
    {
        var set = new AccessRuleSet();
        foreach (var (id, listener) in config.Listeners)
        {
            Add(set._listeners, id, AccessRules.Load(AccessLists.Of(listener), $"StreamProxy:Listeners:{id}", basePath, errors));
        }

        foreach (var (id, route) in config.Routes)
        {
            Add(set._routes, id, AccessRules.Load(AccessLists.Of(route), $"StreamProxy:Routes:{id}", basePath, errors));
        }

        return set;

        static void Add(Dictionary<string, AccessRules> map, string id, AccessRules? rules)
        {
            if (rules is not null)
            {
                map.Add(id, rules);
            }
        }
    }

    /// <summary>Null = everybody may come.</summary>
    public AccessRules? OfListener(string id) => _listeners.GetValueOrDefault(id);

    /// <summary>Null = everybody may come.</summary>
    public AccessRules? OfRoute(string id) => _routes.GetValueOrDefault(id);
}
