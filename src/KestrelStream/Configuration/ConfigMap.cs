namespace KestrelStream.Configuration;

/// <summary>Maps keyed by id, as the config has them: ids ignore case.</summary>
internal static class ConfigMap
{
    public static IReadOnlyDictionary<string, T> Empty<T>() => EmptyMap<T>.Instance;

    public static Dictionary<string, T> Create<T>() => new(StringComparer.OrdinalIgnoreCase);

    private static class EmptyMap<T>
    {
        public static readonly IReadOnlyDictionary<string, T> Instance = Create<T>();
    }
}
