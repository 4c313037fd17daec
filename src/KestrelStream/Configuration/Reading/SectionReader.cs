using KestrelStream.Configuration.Sources;

namespace KestrelStream.Configuration.Reading;

/// <summary>
/// One map of the configuration while it is read: typed getters that collect every error and answer null for a key that is absent, null or
/// wrong. Each key is asked for once. One per map, used by one thread.
/// </summary>
internal sealed partial class SectionReader
{
    private readonly ConfigNode _node;
    private readonly SectionReader? _parent;
    private readonly string _keyPath;
    private readonly ICollection<ConfigError> _errors;

    /// <summary>The keys that were asked for; kept only when somebody wants to know them.</summary>
    private readonly List<string>? _asked;
    private int _found;

    private SectionReader(ConfigNode node, SectionReader? parent, string keyPath, ICollection<ConfigError> errors, List<string>? asked = null)
    {
        _node = node;
        _parent = parent;
        _keyPath = keyPath;
        _errors = errors;
        _asked = asked;
    }

    // Made when there is an error: a string for each of ten thousand maps is wasted otherwise.
    private string Path => _parent is null ? _keyPath : $"{_parent.Path}:{_keyPath}";

    /// <summary>Reads a map by <paramref name="read"/>, then reports the keys that it did not ask for. Null when the map is absent or empty.</summary>
    public static T? Read<T>(ConfigNode node, string path, ICollection<ConfigError> errors, Func<SectionReader, T> read)
        where T : class
        => Read(new SectionReader(node, null, path, errors), read);

    /// <summary>Null when the key is absent, null or an empty map.</summary>
    public T? Section<T>(string key, Func<SectionReader, T> read)
        where T : class
        => Find(key) is { } child ? Read(new SectionReader(child, this, key, _errors), read) : null;

    /// <summary>A map of items by id. An item that is empty or no map is there with defaults: what refers to it is not wrong for that.</summary>
    public IReadOnlyDictionary<string, T> Map<T>(string key, Func<SectionReader, T> read)
        where T : class
    {
        if (Find(key) is not { } node)
        {
            return ConfigMap.Empty<T>();
        }

        var items = ConfigMap.Create<T>(node.Children.Length);
        var map = new SectionReader(node, this, key, _errors);
        foreach (var item in node.Children)
        {
            items[item.Key] = Read(new SectionReader(item, map, item.Key, _errors), read) ?? ReadNothing(read, null);
        }

        if (node.Value is { } value && (value.Length > 0 || items.Count == 0))
        {
            AddError(key, $"{(value.Length > 0 ? $"{ErrorText.Quote(value)} is a single value" : "is an empty list or string")}; valid: a map of items, each under its id");
        }

        return items;
    }

    /// <summary>A list of maps, in its order. Null when the key is absent or null; an empty list is one.</summary>
    public IReadOnlyList<T>? SectionList<T>(string key, Func<SectionReader, T> read)
        where T : class
    {
        if (Find(key) is not { } node)
        {
            return null;
        }

        var items = new List<T>(node.Children.Length);
        var list = new SectionReader(node, this, key, _errors);
        var isList = string.IsNullOrEmpty(node.Value);
        foreach (var item in node.Children)
        {
            isList &= int.TryParse(item.Key, out _);
            if (isList)
            {
                items.Add(Read(new SectionReader(item, list, item.Key, _errors), read) ?? ReadNothing(read, null));
            }
        }

        if (!isList)
        {
            AddError(key, $"is no list; valid: a list of maps with the keys {string.Join(", ", KeysOf(read))}");
            return null;
        }

        return node.Value is null && items.Count == 0 ? null : items;
    }

    private static T? Read<T>(SectionReader reader, Func<SectionReader, T> read)
        where T : class
    {
        var value = reader._node.Value;
        if (!string.IsNullOrEmpty(value))
        {
            reader.AddError($"{ErrorText.Quote(value)} is a single value; valid: a map with the keys {string.Join(", ", KeysOf(read))}");
            return null;
        }

        if (reader._node.Children.IsEmpty)
        {
            if (value is not null)
            {
                reader.AddError($"is an empty list or string; valid: a map with the keys {string.Join(", ", KeysOf(read))}");
            }

            return null;
        }

        var result = read(reader);
        if (reader._found < reader._node.Children.Length)
        {
            reader.ReportUnknownKeys(KeysOf(read));
        }

        return result;
    }

    private ConfigNode? Find(string key)
    {
        _asked?.Add(key);
        var node = _node.Find(key);
        _found += node is null ? 0 : 1;
        return node;
    }

    private void ReportUnknownKeys(string[] valid)
    {
        foreach (var child in _node.Children)
        {
            if (valid.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
            {
                continue;
            }

            // The value is not repeated: it may be a mistyped Password.
            var nearest = Spelling.Nearest(child.Key, valid);
            var question = nearest is null ? "" : $"did you mean {ErrorText.Quote(nearest)}? ";
            AddError(child.Key, $"unknown key; {question}valid: {string.Join(", ", valid)}");
        }
    }

    private static string[] KeysOf<T>(Func<SectionReader, T> read)
    {
        var asked = new List<string>();
        ReadNothing(read, asked);
        return [.. asked.Order(StringComparer.Ordinal)];
    }

    /// <summary>The item with all defaults; asking for it tells the keys too.</summary>
    private static T ReadNothing<T>(Func<SectionReader, T> read, List<string>? asked)
        => read(new SectionReader(new ConfigNode("", null, []), null, "", [], asked));

    private void AddError(string message) => _errors.Add(new ConfigError(Path, message));

    private void AddError(string key, string message) => _errors.Add(new ConfigError($"{Path}:{key}", message));
}
