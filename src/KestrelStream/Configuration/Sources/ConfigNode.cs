namespace KestrelStream.Configuration.Sources;

/// <summary>
/// One key of the configuration with what is under it, as an IConfiguration has it: <c>null</c> and <c>{}</c> are a key without value and
/// children, <c>[]</c> is a key with the value "", a list is a map with the keys 0, 1, 2…; <c>true</c> is "True", a number is its text.
/// Used by the thread that reads the configuration, and let go when it has been read.
/// </summary>
internal class ConfigNode(string key, string? value, ConfigNode[] children)
{
    public string Key { get; } = key;

    public string? Value { get; } = value;

    /// <summary>In the order of <see cref="ConfigNodeOrder"/>; no two with the same key.</summary>
    public virtual ReadOnlySpan<ConfigNode> Children => children;

    /// <summary>Whether there is anything: the same as Exists of an IConfiguration.</summary>
    public bool Exists => Value is not null || !Children.IsEmpty;

    /// <summary>The child under a key; null = there is none.</summary>
    public ConfigNode? Find(string key)
    {
        foreach (var child in Children)
        {
            if (key.Equals(child.Key, StringComparison.OrdinalIgnoreCase))
            {
                return child;
            }
        }

        return null;
    }

    /// <summary>The tree with another one laid over it: values of the other win, keys of both stay, inside lists too.</summary>
    public ConfigNode With(ConfigNode over)
    {
        var under = Children;
        var upper = over.Children;
        if (upper.IsEmpty)
        {
            return over.Value is null ? this : new ConfigNode(Key, over.Value, under.ToArray());
        }

        var merged = new List<ConfigNode>(under.Length + upper.Length);
        while (!under.IsEmpty || !upper.IsEmpty)
        {
            var order = under.IsEmpty ? 1 : upper.IsEmpty ? -1 : ConfigNodeOrder.Compare(under[0].Key, upper[0].Key);
            merged.Add(order switch
            {
                < 0 => under[0],
                > 0 => upper[0],
                _ => under[0].With(upper[0]),
            });
            under = order <= 0 ? under[1..] : under;
            upper = order >= 0 ? upper[1..] : upper;
        }

        return new ConfigNode(Key, over.Value ?? Value, [.. merged]);
    }

    /// <summary>The node and all below it, as the flat keys of an IConfiguration.</summary>
    public IEnumerable<KeyValuePair<string, string?>> Flatten() => Flatten(Key);

    private IEnumerable<KeyValuePair<string, string?>> Flatten(string path)
    {
        yield return new(path, Value);
        foreach (var child in Children.ToArray())
        {
            foreach (var pair in child.Flatten($"{path}:{child.Key}"))
            {
                yield return pair;
            }
        }
    }
}
