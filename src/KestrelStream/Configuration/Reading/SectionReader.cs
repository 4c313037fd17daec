using Microsoft.Extensions.Configuration;

namespace KestrelStream.Configuration.Reading;

/// <summary>
/// One map of the configuration while it is read: typed getters that note which keys exist, collect every error and answer null
/// for a key that is absent, null or wrong. One per map, used by one thread.
/// </summary>
/// <remarks>
/// What JSON becomes in an <see cref="IConfiguration"/> (measured on .NET 10): <c>null</c> and <c>{}</c> are a key with the value null,
/// <c>[]</c> is a key with the value "", a list is a map with the keys 0, 1, 2…; <c>true</c> is "True".
/// </remarks>
internal sealed partial class SectionReader
{
    private readonly string _path;
    private readonly ICollection<ConfigError> _errors;
    private readonly Dictionary<string, IConfigurationSection> _children = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> _knownKeys = [];

    private SectionReader(string path, ICollection<ConfigError> errors, IEnumerable<IConfigurationSection> children)
    {
        _path = path;
        _errors = errors;
        foreach (var child in children)
        {
            _children[child.Key] = child;
        }
    }

    /// <summary>Reads a map by <paramref name="read"/>, then reports the keys that it did not ask for. Null when the map is absent or empty.</summary>
    public static T? Read<T>(IConfigurationSection section, string path, ICollection<ConfigError> errors, Func<SectionReader, T> read)
        where T : class
    {
        var value = section.Value;
        if (!string.IsNullOrEmpty(value))
        {
            errors.Add(new ConfigError(path, $"{ErrorText.Quote(value)} is a single value; valid: a map with the keys {KeysOf(read)}"));
            return null;
        }

        var reader = new SectionReader(path, errors, section.GetChildren());
        if (reader._children.Count == 0)
        {
            if (value is not null)
            {
                errors.Add(new ConfigError(path, $"is an empty list or string; valid: a map with the keys {KeysOf(read)}"));
            }

            return null;
        }

        var result = read(reader);
        reader.ReportUnknownKeys();
        return result;
    }

    /// <summary>Null when the key is absent, null or an empty map.</summary>
    public T? Section<T>(string key, Func<SectionReader, T> read)
        where T : class
        => Find(key) is { } child ? Read(child, PathOf(key), _errors, read) : null;

    /// <summary>A map of items by id. An item that is empty or no map is there with defaults: what refers to it is not wrong for that.</summary>
    public IReadOnlyDictionary<string, T> Map<T>(string key, Func<SectionReader, T> read)
        where T : class
    {
        if (Find(key) is not { } section)
        {
            return ConfigMap.Empty<T>();
        }

        var items = ConfigMap.Create<T>();
        foreach (var item in section.GetChildren())
        {
            items[item.Key] = Read(item, $"{PathOf(key)}:{item.Key}", _errors, read) ?? ReadNothing(read, out _);
        }

        if (section.Value is { } value && (value.Length > 0 || items.Count == 0))
        {
            AddError(key, $"{(value.Length > 0 ? $"{ErrorText.Quote(value)} is a single value" : "is an empty list or string")}; valid: a map of items, each under its id");
        }

        return items;
    }

    /// <summary>A list of maps, in its order. Null when the key is absent or null; an empty list is one.</summary>
    public IReadOnlyList<T>? SectionList<T>(string key, Func<SectionReader, T> read)
        where T : class
    {
        if (Find(key) is not { } section)
        {
            return null;
        }

        var items = section.GetChildren().ToArray();
        if (!string.IsNullOrEmpty(section.Value) || items.Any(item => !int.TryParse(item.Key, out _)))
        {
            AddError(key, $"is no list; valid: a list of maps with the keys {KeysOf(read)}");
            return null;
        }

        return section.Value is null && items.Length == 0
            ? null
            : [.. items.Select(item => Read(item, $"{PathOf(key)}:{item.Key}", _errors, read) ?? ReadNothing(read, out _))];
    }

    private IConfigurationSection? Find(string key)
    {
        _knownKeys.Add(key);
        return _children.GetValueOrDefault(key);
    }

    private void ReportUnknownKeys()
    {
        foreach (var key in _children.Keys)
        {
            if (_knownKeys.Contains(key, StringComparer.OrdinalIgnoreCase))
            {
                continue;
            }

            // The value is not repeated: it may be a mistyped Password.
            var valid = _knownKeys.Order(StringComparer.Ordinal).ToArray();
            var nearest = Spelling.Nearest(key, valid);
            var question = nearest is null ? "" : $"did you mean {ErrorText.Quote(nearest)}? ";
            AddError(key, $"unknown key; {question}valid: {string.Join(", ", valid)}");
        }
    }

    private static string KeysOf<T>(Func<SectionReader, T> read)
    {
        ReadNothing(read, out var keys);
        return string.Join(", ", keys);
    }

    /// <summary>The item with all defaults; asking for it tells the keys too.</summary>
    private static T ReadNothing<T>(Func<SectionReader, T> read, out string[] keys)
    {
        var empty = new SectionReader("", [], []);
        var item = read(empty);
        keys = [.. empty._knownKeys.Order(StringComparer.Ordinal)];
        return item;
    }

    private string PathOf(string key) => $"{_path}:{key}";

    private void AddError(string key, string message) => _errors.Add(new ConfigError(PathOf(key), message));
}
