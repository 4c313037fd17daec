using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Json;

namespace KestrelStream.Configuration.Sources;

/// <summary>
/// .NET's provider looks through all of its keys whenever it is asked for the children of one: a file with 10,000 routes takes a minute
/// to read (dotnet/runtime issue 65885). This one keeps the children of every key. Reads are safe on any thread, during a reload too.
/// </summary>
internal sealed class IndexedJsonConfigurationProvider(JsonConfigurationSource source) : JsonConfigurationProvider(source)
{
    private volatile Index? _index;

    /// <exception cref="JsonException">The file is no JSON.</exception>
    /// <exception cref="FormatException">A key is there twice: .NET would merge two maps into one.</exception>
    public override void Load(Stream stream)
    {
        using var content = new MemoryStream();
        stream.CopyTo(content);
        content.Position = 0;
        using (var document = JsonDocument.Parse(content, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }))
        {
            var duplicates = new List<string>();
            FindDuplicates(document.RootElement, "", duplicates);
            if (duplicates.Count > 0)
            {
                throw new FormatException($"Keys that are there twice (case is ignored): {string.Join(", ", duplicates)}");
            }
        }

        content.Position = 0;
        base.Load(content);
    }

    public override void Set(string key, string? value)
    {
        base.Set(key, value);
        _index = null;
    }

    public override IEnumerable<string> GetChildKeys(IEnumerable<string> earlierKeys, string? parentPath)
    {
        var data = Data;
        var index = _index;
        // The base class replaces the dictionary when it loads, and when it fails to.
        if (index is null || !ReferenceEquals(index.Data, data))
        {
            _index = index = new Index(data);
        }

        List<string> keys = [.. index.ChildrenOf(parentPath ?? ""), .. earlierKeys];
        keys.Sort(ConfigurationKeyComparer.Instance.Compare);
        return keys;
    }

    private static void FindDuplicates(JsonElement element, string path, List<string> duplicates)
    {
        if (element.ValueKind == JsonValueKind.Object)
        {
            var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            foreach (var property in element.EnumerateObject())
            {
                var childPath = path.Length == 0 ? property.Name : ConfigurationPath.Combine(path, property.Name);
                if (!seen.Add(property.Name))
                {
                    duplicates.Add(childPath);
                }

                FindDuplicates(property.Value, childPath, duplicates);
            }
        }
        else if (element.ValueKind == JsonValueKind.Array)
        {
            var i = 0;
            foreach (var item in element.EnumerateArray())
            {
                FindDuplicates(item, $"{path}:{i++}", duplicates);
            }
        }
    }

    private sealed class Index
    {
        private readonly Dictionary<string, List<string>> _children = new(StringComparer.OrdinalIgnoreCase);

        public Index(IDictionary<string, string?> data)
        {
            Data = data;
            var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            foreach (var key in data.Keys)
            {
                // Upwards from the leaf, to the first ancestor that is known already.
                for (var path = key; path.Length > 0 && seen.Add(path);)
                {
                    var parent = ConfigurationPath.GetParentPath(path) ?? "";
                    if (!_children.TryGetValue(parent, out var children))
                    {
                        _children.Add(parent, children = []);
                    }

                    children.Add(ConfigurationPath.GetSectionKey(path));
                    path = parent;
                }
            }
        }

        public IDictionary<string, string?> Data { get; }

        public List<string> ChildrenOf(string path) => _children.GetValueOrDefault(path) ?? [];
    }
}
